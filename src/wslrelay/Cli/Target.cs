using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>The <c>--target</c> of a relay.</summary>
internal static class Target
{
    /// <summary>Looks it up, and makes sure that this machine has such sockets, before anything is listened on.</summary>
    /// <exception cref="UsageException">The name is not known, or this system has no such sockets.</exception>
    internal static RelayTargetEndpoint Open(IoPort port, RelayTarget target)
    {
        try
        {
            RelayTargetEndpoint endpoint = RelayTargetEndpoint.Resolve(target);
            port.RequireSupport(endpoint.Kind);
            return endpoint;
        }
        catch (RelayException e)
        {
            throw new UsageException("--target", e.Message);
        }
        catch (IoException e)
        {
            throw new UsageException("--target", $"{target}: {e.Message}");
        }
    }
}
