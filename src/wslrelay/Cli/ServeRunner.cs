using System.Runtime.InteropServices;
using Wslrelay.Control;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// <c>serve</c>: the relay as a child process. Ends on the first of: end of file on standard input, the exit event, a broken stream.
/// Runs the loop on the thread that calls it.
/// </summary>
internal sealed class ServeRunner : IIoOwner
{
    // The relay must be gone within a second of being told: what a parent has not read by then is lost.
    private const int MaxFlushMilliseconds = 400;

    private readonly ServeOptions _options;
    private readonly StandardErrorLogger _logger;
    private readonly RelayLog _log;
    private readonly ActionTimer _lastCall;
    private IoLoop _loop = null!;
    private PortTable _table = null!;
    private ControlSession _session = null!;
    private ExitCode _exitCode;
    private bool _ending;

    internal ServeRunner(ServeOptions options)
    {
        _options = options;
        _logger = new StandardErrorLogger(options.LogLevel);
        _log = new RelayLog(_logger);
        _lastCall = new ActionTimer(() => _loop.Stop());
    }

    /// <inheritdoc/>
    public void Completed(IoOperation operation)
    {
        if (operation.Error == IoError.None)
        {
            End(ExitCode.Asked, "the exit event is signalled");
        }
    }

    internal ExitCode Run()
    {
        using IoPort port = IoPort.Create();
        _loop = new IoLoop(port);
        using SafeHandle? exitEvent = ExitEvent.Open(port, _options.ExitEvent);
        RelayTargetEndpoint target = Target.Open(port, _options.Target);
        _table = new PortTable(_loop, target, _options.GuestProtocol, _options.AllowRemote, _log);
        _session = new ControlSession(_table, _log, OnSessionEnded);
        if (exitEvent is not null)
        {
            _loop.Start(port.Watch(exitEvent, this));
        }

        _session.Start();
        _loop.Run();
        _logger.Flush(100);
        return _exitCode;
    }

    private void OnSessionEnded(SessionEnd end)
    {
        if (end == SessionEnd.BrokenStream)
        {
            End(ExitCode.BrokenStream, "the control stream is broken");
        }
        else if (_options.DrainMilliseconds == 0)
        {
            End(ExitCode.Asked, "end of file on standard input");
        }
        else
        {
            Drain();
        }
    }

    // The parent is gone, its users may finish what they began.
    private void Drain()
    {
        _table.UnmapAll(listeners =>
        {
            int left = listeners.Length;
            if (left == 0)
            {
                Drained();
            }

            foreach (PortListener listener in listeners)
            {
                listener.Drain(_options.DrainMilliseconds, _ =>
                {
                    if (--left == 0)
                    {
                        Drained();
                    }
                });
            }
        });

        void Drained() => End(ExitCode.Asked, "end of file on standard input, and drained");
    }

    private void End(ExitCode exitCode, string cause)
    {
        if (_ending)
        {
            return;
        }

        _ending = true;
        _exitCode = exitCode;
        _log.Ends(cause);
        _session.Close();
        _session.Sent = StopWhenSent;
        _loop.Timers.Start(_lastCall, MaxFlushMilliseconds);
        _loop.Post(StopWhenSent);
    }

    private void StopWhenSent()
    {
        if (!_session.HasUnsentAnswers)
        {
            _loop.Stop();
        }
    }
}
