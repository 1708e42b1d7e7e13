using Wslrelay.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The guest's side: listens for the relay, and takes each of its connections to a server on this machine's loopback. Loop thread only.
/// </summary>
internal sealed class GuestAgent(IoLoop loop, RelayLog log, bool allowAnyCid) : IAcceptOwner
{
    // A preamble's limit: what the relay sends first is read into one such buffer.
    private const int MaxPreamble = 1024;
    private const uint LocalCid = 1;
    private const uint HostCid = 2;

    private IoSocket? _listener;

    /// <summary>The loop that owns everything here.</summary>
    public IoLoop Loop { get; } = loop;

    /// <summary>The log.</summary>
    public RelayLog Log { get; } = log;

    /// <summary>Lends the memory that preambles are read into.</summary>
    public BufferPool Buffers { get; } = new(MaxPreamble);

    /// <summary>Counts what goes to the servers.</summary>
    public ByteCounter ToServers { get; } = new();

    /// <summary>Counts what comes from the servers.</summary>
    public ByteCounter FromServers { get; } = new();

    /// <summary>Milliseconds for a preamble to be complete, and for a server to answer.</summary>
    public int SetUpTimeout { get; init; } = 10_000;

    /// <summary>Milliseconds for which what a refused relay still sends is read and dropped.</summary>
    public int RefusalTimeout { get; init; } = 5_000;

    /// <summary>Listens and begins to accept. Returns the port really bound, for TCP.</summary>
    /// <exception cref="IoException">The system does not give the endpoint.</exception>
    public int Listen(IoEndpoint endpoint)
    {
        _listener = Loop.Port.Listen(endpoint);
        Loop.Start(Loop.Port.Accept(_listener, this));
        return _listener.LocalPort;
    }

    /// <inheritdoc/>
    public void Accepted(IoSocket socket)
    {
        if (!allowAnyCid && socket.PeerCid is { } cid and not (LocalCid or HostCid))
        {
            Log.CidRefused(cid);
            socket.Close(abort: true);
            return;
        }

        new GuestRelay(this, socket).Start();
    }

    /// <inheritdoc/>
    public void Completed(IoOperation operation) => _listener!.Close(abort: false);
}
