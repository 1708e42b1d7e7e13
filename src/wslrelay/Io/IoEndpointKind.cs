namespace Wslrelay.Io;

/// <summary>The supported address families.</summary>
internal enum IoEndpointKind
{
    Tcp,
    Unix,

    /// <summary>AF_VSOCK; Linux only.</summary>
    Vsock,

    /// <summary>AF_HYPERV; Windows only.</summary>
    HvSocket,
}
