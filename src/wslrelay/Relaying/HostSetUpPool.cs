using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>Keeps a few <see cref="HostSetUp"/>, so that a connection leaves no garbage behind. Loop thread only.</summary>
internal sealed class HostSetUpPool(IoPort port)
{
    private const int MaxKept = 64;

    private readonly Stack<HostSetUp> _free = new();

    /// <summary>Lends one to a connection.</summary>
    internal HostSetUp Rent(HostRelay relay, in IoEndpoint target)
    {
        if (_free.TryPop(out HostSetUp? setUp))
        {
            setUp.Connect.Endpoint = target;
        }
        else
        {
            setUp = new HostSetUp(port, target);
        }

        setUp.Relay = relay;
        return setUp;
    }

    /// <summary>Takes it back, when its connect has completed and its time is stopped.</summary>
    internal void Return(HostSetUp setUp)
    {
        setUp.Greeting?.Release();
        setUp.Greeting = null;
        setUp.Relay = null;
        if (_free.Count < MaxKept)
        {
            _free.Push(setUp);
        }
    }
}
