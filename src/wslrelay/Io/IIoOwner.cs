namespace Wslrelay.Io;

/// <summary>Starts operations and is notified of their completion, on the loop thread.</summary>
internal interface IIoOwner
{
    /// <summary>The kernel holds nothing of the operation any more: it may be started again, and its socket may be closed.</summary>
    void Completed(IoOperation operation);
}
