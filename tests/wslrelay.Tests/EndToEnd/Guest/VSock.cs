using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>Whether vsock works within this machine, and its ports. The layout of addresses is that of vsock(7).</summary>
internal static partial class VSock
{
    private const int AF_VSOCK = 40;
    private const uint VMADDR_CID_LOCAL = 1;
    private static int _lastPort = 20_000 + (Environment.ProcessId % 10_000);

    /// <summary>Whether a connection to this machine's own context id arrives.</summary>
    public static bool IsHere { get; } = OperatingSystem.IsLinux() && Connects();

    public static int FreePort() => Interlocked.Increment(ref _lastPort);

    private static bool Connects()
    {
        var address = new Address { Family = AF_VSOCK, Port = (uint)FreePort(), Cid = VMADDR_CID_LOCAL };
        using var listener = Open();
        using var client = Open();
        return !listener.IsInvalid && !client.IsInvalid
            && bind((int)listener.DangerousGetHandle(), in address, Marshal.SizeOf<Address>()) == 0
            && listen((int)listener.DangerousGetHandle(), 1) == 0
            && connect((int)client.DangerousGetHandle(), in address, Marshal.SizeOf<Address>()) == 0;
    }

    private static SafeSocketHandle Open() => new(socket(AF_VSOCK, 1, 0), ownsHandle: true);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int bind(int sockfd, in Address addr, int addrlen);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int listen(int sockfd, int backlog);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int connect(int sockfd, in Address addr, int addrlen);

    private struct Address
    {
        public ushort Family;
        public ushort Reserved;
        public uint Port;
        public uint Cid;
        public uint Rest;
    }
}
