using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Windows.Interop;

namespace Wslrelay.Io.Windows;

/// <summary>Finds the process that listens on a TCP port, in the system's tables of sockets.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class PortOwners
{
    private const int CountSize = sizeof(uint);
    private const int MaxAttempts = 4;
    private const int MaxPath = 1024;

    /// <summary>The owner in words; null if there is none.</summary>
    internal static string? Find(in IoEndpoint endpoint) =>
        (endpoint.Address!.AddressFamily == AddressFamily.InterNetwork ? Search(endpoint, Ws2_32.AF_INET, rowSize: 24, address: 4..8, port: 8, process: 20) : null)
        ?? Search(endpoint, Ws2_32.AF_INET6, rowSize: 56, address: 0..16, port: 20, process: 52);

    private static string? Search(in IoEndpoint endpoint, ushort family, int rowSize, Range address, int port, int process)
    {
        IPEndPoint wanted = new(endpoint.Address!, (int)endpoint.Port);
        for (ReadOnlySpan<byte> rows = Table(family); rows.Length >= rowSize; rows = rows[rowSize..])
        {
            ListeningSocket listener = new(new IPAddress(rows[address]), BinaryPrimitives.ReadUInt16BigEndian(rows[port..]));
            if (PortOwner.Occupies(listener, wanted))
                return PortOwner.Describe(NameOf(BinaryPrimitives.ReadUInt32LittleEndian(rows[process..])), listener, wanted.Address);
        }

        return null;
    }

    private static ReadOnlySpan<byte> Table(ushort family)
    {
        // It may grow between the question for its size and the next.
        byte[] table = [];
        uint size = 0;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            fixed (byte* start = table)
            {
                uint error = Iphlpapi.GetExtendedTcpTable(start, ref size, bOrder: false, family, Iphlpapi.TCP_TABLE_OWNER_PID_LISTENER, 0);
                if (error == 0 && table.Length > CountSize)
                    return table.AsSpan(CountSize);

                if (error != Iphlpapi.ERROR_INSUFFICIENT_BUFFER)
                    break;
            }

            table = new byte[size];
        }

        return default;
    }

    private static string NameOf(uint id)
    {
        using SafeWaitHandle process = Kernel32.OpenProcess(Kernel32.PROCESS_QUERY_LIMITED_INFORMATION, bInheritHandle: false, id);
        char* path = stackalloc char[MaxPath];
        uint length = MaxPath;
        return !process.IsInvalid && Kernel32.QueryFullProcessImageNameW(process, 0, path, ref length)
            ? $"{Path.GetFileName(new ReadOnlySpan<char>(path, (int)length))} (pid {id})"
            : $"the process {id}";
    }
}
