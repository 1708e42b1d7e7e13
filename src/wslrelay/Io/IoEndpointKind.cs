namespace Wslrelay.Io;

/// <summary>The address families the relay speaks.</summary>
internal enum IoEndpointKind
{
    /// <summary>TCP over IPv4 or IPv6.</summary>
    Tcp,

    /// <summary>A Unix stream socket.</summary>
    Unix,

    /// <summary>Linux's AF_VSOCK.</summary>
    Vsock,

    /// <summary>Windows' AF_HYPERV.</summary>
    HvSocket,
}
