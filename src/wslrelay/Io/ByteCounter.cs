namespace Wslrelay.Io;

/// <summary>A sum of bytes moved, written by the loop thread.</summary>
internal sealed class ByteCounter
{
    /// <summary>The sum.</summary>
    public ulong Value { get; private set; }

    /// <summary>Adds to it.</summary>
    public void Add(int bytes) => Value += (uint)bytes;
}
