namespace Wslrelay.Io;

/// <summary>Where an operation is in its life. Only the loop thread reads or writes it.</summary>
internal enum IoState : byte
{
    /// <summary>Nothing is in flight: the loop will call <see cref="IoOperation.Schedule"/>.</summary>
    Standby,

    /// <summary>The kernel, or the port's list of waiters, has it: its wake-up will come by <see cref="IoOperation.Collect"/>.</summary>
    Pending,

    /// <summary>Ended, and the kernel has let go. It may be started again.</summary>
    Completed,
}
