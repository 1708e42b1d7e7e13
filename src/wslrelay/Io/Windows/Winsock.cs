using System.Runtime.Versioning;
using Wslrelay.Io.Windows.Interop;

namespace Wslrelay.Io.Windows;

/// <summary>Starts Winsock, once for the process and until its end. Any thread.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class Winsock
{
    private const ushort Version22 = 0x0202;
    private const int MaxWsaDataSize = 512;

    private static int s_started;

    /// <summary>Winsock counts the starts, so one too many does no harm.</summary>
    internal static void Start()
    {
        if (Volatile.Read(ref s_started) != 0)
            return;

        byte* data = stackalloc byte[MaxWsaDataSize];
        int error = Ws2_32.WSAStartup(Version22, data);
        if (error != 0)
            throw NativeError.Exception(error, "WSAStartup");

        Volatile.Write(ref s_started, 1);
    }
}
