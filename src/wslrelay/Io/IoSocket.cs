namespace Wslrelay.Io;

/// <summary>A socket that this process made and that belongs to one port for life. Owned by the loop thread.</summary>
internal abstract class IoSocket : IoHandle
{
    /// <summary>The port number a TCP listener is really bound to.</summary>
    public abstract int LocalPort { get; }
}
