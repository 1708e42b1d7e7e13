namespace Wslrelay.Io;

/// <summary>Who started an operation and is told of its end, on the loop thread.</summary>
internal interface IIoOwner
{
    /// <summary>The operation has ended and the kernel holds nothing of it: it may be started again, its socket may be closed.</summary>
    void Completed(IoOperation operation);
}
