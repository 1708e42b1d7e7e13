namespace RelayProtocol;

/// <summary>How a relay reaches a guest's ports.</summary>
public enum RelayTargetKind
{
    /// <summary>The port itself, at a host or at the loopback address: no guest agent.</summary>
    Direct = 0,

    /// <summary>A guest agent at a TCP address.</summary>
    Tcp,

    /// <summary>A guest agent at a Unix domain socket.</summary>
    Unix,

    /// <summary>A guest agent at a vsock address (Linux).</summary>
    VSock,

    /// <summary>A guest agent at a Hyper-V socket address (Windows).</summary>
    HvSocket,

    /// <summary>A guest agent behind a hybrid vsock socket, as Firecracker offers it: a Unix socket that is told the port.</summary>
    Firecracker,
}
