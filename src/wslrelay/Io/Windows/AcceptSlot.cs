using System.Runtime.Versioning;

namespace Wslrelay.Io.Windows;

/// <summary>A slot of AcceptEx, with its address buffer in the same native block: both live as long as the call. Loop thread only.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class AcceptSlot(CompletionPort port) : OverlappedSlot(port, 2 * AddressLength)
{
    /// <summary>AcceptEx asks for 16 bytes more than the longest address of the transport.</summary>
    internal const int AddressLength = SocketAddress.MaxLength + 16;

    internal byte* Addresses => Memory;

    /// <summary>The socket that becomes the connection; null while the slot is idle.</summary>
    internal WindowsSocket? Candidate { get; set; }
}
