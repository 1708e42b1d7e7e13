using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>iphlpapi.dll: the tables of TCP sockets with their processes. Source: iphlpapi.h, tcpmib.h.</summary>
[SupportedOSPlatform("windows")]
internal static partial class Iphlpapi
{
    internal const int TCP_TABLE_OWNER_PID_LISTENER = 3;
    internal const uint ERROR_INSUFFICIENT_BUFFER = 122;

    /// <summary>
    /// Fills a count of 32 bits and so many rows: MIB_TCPROW_OWNER_PID (state, local address and port, remote address and port, process; 32 bits each) or
    /// MIB_TCP6ROW_OWNER_PID (local address, scope and port, remote ones, state, process). Ports are in network byte order.
    /// </summary>
    [LibraryImport("iphlpapi")]
    internal static unsafe partial uint GetExtendedTcpTable(
        byte* pTcpTable, ref uint pdwSize, [MarshalAs(UnmanagedType.Bool)] bool bOrder, uint ulAf, int TableClass, uint Reserved);
}
