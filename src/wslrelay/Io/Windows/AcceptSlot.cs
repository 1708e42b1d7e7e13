using System.Runtime.Versioning;

namespace Wslrelay.Io.Windows;

/// <summary>A slot of AcceptEx: the address buffer is in its native block, so it lives as long as the call. Loop thread only.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class AcceptSlot(CompletionPort port) : OverlappedSlot(port, 2 * AddressLength)
{
    /// <summary>Per address, and AcceptEx asks for 16 bytes more than the longest address of the transport.</summary>
    internal const int AddressLength = SocketAddress.MaxLength + 16;

    /// <summary>Where AcceptEx writes both addresses.</summary>
    internal byte* Addresses => Extra;

    /// <summary>The socket that will be the connection; null while the slot is idle.</summary>
    internal WindowsSocket? Candidate { get; set; }
}
