namespace Wslrelay.Io;

/// <summary>The state of an operation. Only the loop thread reads or writes it.</summary>
internal enum IoState : byte
{
    /// <summary>Nothing is in flight: the loop will call <see cref="IoOperation.Schedule"/>.</summary>
    Standby,

    /// <summary>The kernel or the port's list of waiters holds it: the loop will call <see cref="IoOperation.Collect"/>.</summary>
    Pending,

    /// <summary>Ended; the kernel holds nothing of it. It may be started again.</summary>
    Completed,
}
