using System.Runtime.InteropServices;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// <c>guest</c>: the agent inside the virtual machine or container. Ends on SIGINT, SIGTERM or the exit event. Runs the loop on the thread that calls it.
/// </summary>
internal sealed class GuestRunner(GuestOptions options) : IIoOwner
{
    private IoLoop _loop = null!;

    /// <inheritdoc/>
    public void Completed(IoOperation operation)
    {
        if (operation.Error == IoError.None)
        {
            _loop.Stop();
        }
    }

    internal ExitCode Run()
    {
        StandardErrorLogger logger = new(options.LogLevel);
        RelayLog log = new(logger);
        using IoPort port = IoPort.Create();
        _loop = new IoLoop(port);
        using SafeHandle? exitEvent = ExitEvent.Open(port, options.ExitEvent);
        using StopSignals signals = new(_loop);
        try
        {
            GuestAgent agent = new(_loop, log, options.AllowAnyCid);
            int bound = agent.Listen(options.Listen);
            Console.WriteLine(options.Listen is { Kind: IoEndpointKind.Tcp, Port: 0 } ? $"listens on {options.ListenText[..^1]}{bound}" : $"listens on {options.ListenText}");
        }
        catch (IoException e)
        {
            StandardError.WriteLine($"--listen: {e.Error}: {e.Message}");
            return ExitCode.Failed;
        }

        if (exitEvent is not null)
        {
            _loop.Start(port.Watch(exitEvent, this));
        }

        _loop.Run();
        logger.Flush(100);
        return ExitCode.Asked;
    }
}
