using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>guest</c>: the agent inside the virtual machine or container. Runs until a signal or the exit event.</summary>
internal static class GuestRunner
{
    internal static ExitCode Run(LoopHost host, ListenEndpoint listen, bool allowAnyCid)
    {
        host.StopOnSignals();
        ExitCode exitCode = ExitCode.Success;
        try
        {
            GuestAgent agent = new(host.Loop, host.Log, allowAnyCid)
            {
                AcceptFailed = () =>
                {
                    exitCode = ExitCode.Failed;
                    host.Loop.Stop();
                },
            };
            int port = agent.Listen(listen.Endpoint);
            string bound = listen.Endpoint is { Kind: IoEndpointKind.Tcp, Port: 0 } ? $"{listen.Text[..^1]}{port}" : listen.Text;
            host.Print($"listens on {bound}");
        }
        catch (IoException e)
        {
            string owner = e.Error == IoError.AddressInUse && listen.Endpoint.Kind == IoEndpointKind.Tcp && host.Port.FindOwner(listen.Endpoint, PortOpener.IdleSearchMilliseconds) is { } process
                ? $"; it is in use by {process}"
                : "";
            StandardError.WriteLine($"--listen: {e.Error}: {e.Message}{owner}");
            return ExitCode.Failed;
        }

        host.RunService();
        return exitCode;
    }
}
