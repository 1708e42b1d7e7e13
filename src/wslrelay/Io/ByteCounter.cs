namespace Wslrelay.Io;

/// <summary>A sum of bytes moved, written by the loop thread.</summary>
internal sealed class ByteCounter
{
    public ulong Value { get; private set; }

    public void Add(int bytes) => Value += (uint)bytes;
}
