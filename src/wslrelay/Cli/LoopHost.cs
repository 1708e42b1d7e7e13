using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Control;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// What <c>serve</c>, <c>forward</c> and <c>guest</c> share: the loop, its log, and what ends it. The loop runs on the thread that calls <see cref="Run"/>.
/// </summary>
internal sealed class LoopHost : IDisposable
{
    private readonly StandardErrorLogger _logger;
    private readonly List<SafeHandle> _watched = [];
    private StopSignals? _signals;
    private ControlOutput? _output;

    /// <param name="logLevel">Of the log.</param>
    /// <param name="keepaliveSeconds">As <see cref="IoPort.Create"/> has it.</param>
    /// <param name="loops">How many loops there may be.</param>
    internal LoopHost(LogLevel logLevel, int keepaliveSeconds = 0, int loops = 1)
    {
        _logger = new StandardErrorLogger(logLevel);
        Log = new RelayLog(_logger);
        Port = IoPort.Create(keepaliveSeconds);
        Loop = new IoLoop(Port);
        bool spreads = int.TryParse(Environment.GetEnvironmentVariable("WSLRELAY_LOOPS"), out int forced) && forced is > 0 and <= LoopGroup.MaxCount;
        int count = spreads ? forced : loops;
        if (count > 1)
            Loop.Group = new LoopGroup(Loop, count, spreads);

        Stop = _ => Loop.Stop();
    }

    internal RelayLog Log { get; }

    internal IoPort Port { get; }

    internal IoLoop Loop { get; }

    /// <summary>Standard output, which is written without waiting for a reader; dropped if it is closed.</summary>
    internal ControlOutput Output => _output ??= new ControlOutput(Loop);

    /// <summary>Called on the loop thread, with the cause, when the program was asked to end. Stops the loop unless it is replaced.</summary>
    internal Action<string> Stop { get; set; }

    public void Dispose()
    {
        _signals?.Dispose();
        _watched.ForEach(handle => handle.Dispose());
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

    /// <summary>Ends the program on a signal that is not one of <paramref name="ignored"/>.</summary>
    internal void StopOnSignals(params PosixSignal[] ignored) => _signals = new StopSignals(signal => Loop.Post(() => Stop($"{signal}")), ignored);

    /// <summary>Ends the program when the handle of <c>--exit-event</c> is signalled.</summary>
    /// <exception cref="UsageException">The number is not an inherited handle of the right kind.</exception>
    internal void WatchExitEvent(long? number)
    {
        if (number is { } given)
            Watch("--exit-event", () => Port.OpenSignal(given), () => Stop("the exit event is signalled"));
    }

    /// <summary>Calls <paramref name="exited"/> when the process of <c>--parent-pid</c> has exited.</summary>
    /// <exception cref="UsageException">It is not a running process of the same user.</exception>
    internal void WatchParent(long? id, Action exited)
    {
        if (id is { } given)
            Watch("--parent-pid", () => Port.OpenProcess((int)given), exited);
    }

    /// <summary>Writes a line to standard output, without waiting for a reader; it is dropped if standard output is closed or full.</summary>
    internal void Print(string line)
    {
        AddLine(line);
        Output.Flush();
    }

    /// <summary>Adds a line to what is written next.</summary>
    internal void AddLine(string line) => Output.Writer.Write(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>Runs the loop like <see cref="Run"/>, and tells a service manager of its beginning and of the stop that was asked for.</summary>
    internal void RunService()
    {
        Action<string> stop = Stop;
        Stop = cause =>
        {
            ServiceManager.Notify("STOPPING=1"u8, wait: false);
            stop(cause);
        };
        ServiceManager.Notify("READY=1"u8, wait: true);
        Run();
    }

    /// <summary>Runs the loop until it is stopped, then writes what is left of the log.</summary>
    internal void Run()
    {
        if (Loop.Group is { } group)
            group.Run();
        else
            Loop.Run();

        _logger.Flush(100);
    }

    private void Watch(string option, Func<SafeHandle> open, Action signalled)
    {
        try
        {
            _watched.Add(open());
        }
        catch (IoException e)
        {
            throw new UsageException(option, e.Message);
        }

        Loop.Start(Port.Watch(_watched[^1], new WatchOwner(signalled)));
    }

    private sealed class WatchOwner(Action signalled) : IIoOwner
    {
        public void Completed(IoOperation operation)
        {
            if (operation.Error == IoError.None)
                signalled();
        }
    }
}
