using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows.Interop;

/// <content>ws2_32.dll: overlapped transfers. Zero (done) and WSA_IO_PENDING both mean that one packet comes.</content>
internal static unsafe partial class Ws2_32
{
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int WSARecv(
        SafeHandle s,
        WSABUF* lpBuffers,
        uint dwBufferCount,
        uint* lpNumberOfBytesRecvd,
        uint* lpFlags,
        Kernel32.OVERLAPPED* lpOverlapped,
        void* lpCompletionRoutine);

    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int WSASend(
        SafeHandle s,
        WSABUF* lpBuffers,
        uint dwBufferCount,
        uint* lpNumberOfBytesSent,
        uint dwFlags,
        Kernel32.OVERLAPPED* lpOverlapped,
        void* lpCompletionRoutine);

    [StructLayout(LayoutKind.Sequential)]
    internal struct WSABUF
    {
        internal uint len;
        internal byte* buf;
    }
}
