using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// The time that the scheduler gives a loop's thread before another may take the processor (sched_setattr(2); from Linux 6.12 on, without effect before). A thread
/// with more of it than clients and servers have is interrupted by each that it wakes, and finds the answer there when it goes on, where it would have slept and been
/// woken: on a processor that they share, small requests wait less, and beside bulk much less. New connections take longer then, so that the time is the system's
/// while there are some. bench/README.md has the figures. For the loop's thread.
/// </summary>
/// <param name="isAllowed">False: the system is not asked, whose sandbox may end a process for it.</param>
[SupportedOSPlatform("linux")]
internal sealed class TimeSlice(bool isAllowed)
{
    private const int TurnsWithoutConnection = 1000;
    private const int Factor = 4;

    private int _turns;
    private ulong _usual;
    private bool _isRefused = !isAllowed;

    /// <summary>Epoll is about to be polled.</summary>
    internal void OnTurn()
    {
        if (_turns < TurnsWithoutConnection && ++_turns == TurnsWithoutConnection)
            Set(isLong: true);
    }

    /// <summary>A connection begins, or a thread, which inherits this one's.</summary>
    internal void OnConnection()
    {
        if (_turns == TurnsWithoutConnection)
            Set(isLong: false);

        _turns = 0;
    }

    // Whatever else was set meanwhile, as by renice(1), stays.
    private unsafe void Set(bool isLong)
    {
        Libc.SchedAttr attributes = default;
        if (_isRefused || Libc.sched_getattr(Libc.SYS_sched_getattr, 0, &attributes, Libc.SchedAttr.Length, 0) != 0 || attributes.Policy != Libc.SCHED_OTHER)
            return;

        if (isLong)
            _usual = attributes.Runtime;

        // A system that tells none has no such setting.
        _isRefused = _usual == 0;
        if (_isRefused)
            return;

        attributes.Size = Libc.SchedAttr.Length;
        attributes.Runtime = isLong ? _usual * Factor : _usual;
        _isRefused = Libc.sched_setattr(Libc.SYS_sched_setattr, 0, &attributes, 0) != 0;
    }
}
