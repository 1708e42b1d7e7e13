using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// What <c>serve</c>, <c>forward</c> and <c>guest</c> share: the loop, its log, and what ends it. The loop runs on the thread that calls <see cref="Run"/>.
/// </summary>
internal sealed class LoopHost : IIoOwner, IDisposable
{
    private readonly StandardErrorLogger _logger;
    private SafeHandle? _exitEvent;

    internal LoopHost(LogLevel logLevel, int keepaliveSeconds = 0)
    {
        _logger = new StandardErrorLogger(logLevel);
        Log = new RelayLog(_logger);
        Port = IoPort.Create(keepaliveSeconds);
        Loop = new IoLoop(Port);
        Stop = _ => Loop.Stop();
    }

    internal RelayLog Log { get; }

    internal IoPort Port { get; }

    internal IoLoop Loop { get; }

    /// <summary>Called on the loop thread, with the cause, when the program was asked to end. Stops the loop unless it is replaced.</summary>
    internal Action<string> Stop { get; set; }

    public void Completed(IoOperation operation)
    {
        if (operation.Error == IoError.None)
        {
            Stop("the exit event is signalled");
        }
    }

    public void Dispose()
    {
        _exitEvent?.Dispose();
        Port.Dispose();
    }

    /// <summary>Resolves <c>--target</c> and checks that this machine has that kind of socket.</summary>
    /// <exception cref="UsageException">The host name is unknown, or the kind of socket is not available.</exception>
    internal RelayTargetEndpoint OpenTarget(RelayTarget target)
    {
        try
        {
            RelayTargetEndpoint endpoint = RelayTargetEndpoint.Resolve(target);
            Port.RequireSupport(endpoint.Kind);
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

    /// <summary>Ends the program when the handle of <c>--exit-event</c> is signalled.</summary>
    /// <exception cref="UsageException">The number is not an inherited handle of the right kind.</exception>
    internal void WatchExitEvent(long? number)
    {
        if (number is not { } given)
        {
            return;
        }

        try
        {
            _exitEvent = Port.OpenSignal(given);
        }
        catch (IoException e)
        {
            throw new UsageException("--exit-event", e.Message);
        }

        Loop.Start(Port.Watch(_exitEvent, this));
    }

    /// <summary>Runs the loop until it is stopped, then writes what is left of the log.</summary>
    internal void Run()
    {
        Loop.Run();
        _logger.Flush(100);
    }
}
