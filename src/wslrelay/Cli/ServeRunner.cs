using System.Runtime.InteropServices;
using RelayProtocol;
using Wslrelay.Control;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// <c>serve</c>: the relay as a child process. Runs until end of file on standard input, the parent's exit, the exit event, a signal, or a broken stream.
/// </summary>
internal sealed class ServeRunner
{
    // The relay must end within a second: answers that the parent has not read after so many milliseconds are lost.
    private const int MaxFlushMilliseconds = 300;

    private readonly LoopHost _host;
    private readonly int _drainMilliseconds;
    private readonly PortTable _table;
    private readonly ControlSession _session;
    private readonly ActionTimer _flushTimer;
    private ExitCode _exitCode;
    private bool _inputEnded;
    private bool _ending;

    private ServeRunner(LoopHost host, RelayTarget target, GuestProtocol guestProtocol, bool allowRemote, int drainMilliseconds)
    {
        _host = host;
        _drainMilliseconds = drainMilliseconds;
        _table = new PortTable(host.Loop, host.OpenTarget(target), guestProtocol, allowRemote, host.Log);
        _session = new ControlSession(_table, host.Log, OnSessionEnded);
        _flushTimer = new ActionTimer(host.Loop.Stop);
        host.Stop = cause => End(ExitCode.Success, cause);
    }

    // The terminal sends these to the whole process group, in which the parent decides; at a terminal, a person is the parent.
    private PosixSignal[] IgnoredSignals =>
        !Console.IsInputRedirected ? [] : _host.Port.CanIgnoreHangUp ? [PosixSignal.SIGINT, PosixSignal.SIGHUP] : [PosixSignal.SIGINT];

    internal static ExitCode Run(
        LoopHost host, RelayTarget target, GuestProtocol guestProtocol, bool allowRemote, int drainMilliseconds, long? parentId)
    {
        if (StandardStream.Input.ReadProblem is { } problem)
            throw new UsageException("standard input", problem);

        ServeRunner runner = new(host, target, guestProtocol, allowRemote, drainMilliseconds);
        host.WatchParent(parentId, () => runner.EndOfInput("the parent process has exited"));
        host.StopOnSignals(runner.IgnoredSignals);
        runner._session.Start();
        host.Run();
        return runner._exitCode;
    }

    private void OnSessionEnded(SessionEnd end)
    {
        if (end == SessionEnd.BrokenStream)
            End(ExitCode.BrokenStream, "the control stream is broken");
        else
            EndOfInput("end of file on standard input");
    }

    private void EndOfInput(string cause)
    {
        if (_inputEnded || _ending)
            return;

        _inputEnded = true;
        _session.Close();
        if (_drainMilliseconds == 0)
            End(ExitCode.Success, cause);
        else
            Drain(cause);
    }

    // The parent is gone; connections may finish.
    private void Drain(string cause)
    {
        _table.UnmapAll(listeners =>
        {
            int left = listeners.Length;
            if (left == 0)
                Drained();

            foreach (MappedPort listener in listeners)
            {
                listener.Drain(_drainMilliseconds, _ =>
                {
                    if (--left == 0)
                        Drained();
                });
            }
        });

        void Drained() => End(ExitCode.Success, $"{cause}, and its connections are drained");
    }

    private void End(ExitCode exitCode, string cause)
    {
        if (_ending)
            return;

        _ending = true;
        _exitCode = exitCode;
        _host.Log.Ends(cause);
        _session.Close();
        _session.EndDrains();
        _session.Sent = StopWhenSent;
        _host.Loop.Timers.Start(_flushTimer, MaxFlushMilliseconds);
        _host.Loop.Post(StopWhenSent);
    }

    private void StopWhenSent()
    {
        if (!_session.HasUnsentAnswers)
            _host.Loop.Stop();
    }
}
