using Wslrelay.Io;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>A simulated socket: what its peer sends is given beforehand, is received in pieces, and then ends.</summary>
internal sealed class ScriptedSocket : IoSocket
{
    private readonly byte[] _script;
    private int _position;

    public ScriptedSocket(byte[] script, int piece = int.MaxValue)
    {
        (_script, Piece) = (script, piece);
        GC.SuppressFinalize(this);
    }

    /// <summary>The largest number of bytes of one receive.</summary>
    public int Piece { get; }

    /// <summary>What was sent to the peer.</summary>
    public List<byte> Sent { get; } = [];

    public bool SendEnded { get; private set; }

    /// <summary>Null while it is open; then whether it was closed with a reset.</summary>
    public bool? Aborted { get; private set; }

    public override int LocalPort => 1;

    public override bool ShutdownSend() => SendEnded = true;

    public override void Close(bool abort) =>
        Aborted = Aborted is null ? abort : throw new InvalidOperationException("It was closed twice.");

    /// <summary>The next bytes of the script; none at its end.</summary>
    public ReadOnlySpan<byte> Take(int most)
    {
        var count = Math.Min(Math.Min(most, Piece), _script.Length - _position);
        _position += count;
        return _script.AsSpan(_position - count, count);
    }

    protected override bool ReleaseHandle() => true;
}
