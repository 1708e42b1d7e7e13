using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Windows;
using Wslrelay.Io.Windows.Interop;
using Xunit;

namespace Wslrelay.Tests.Io.Windows;

/// <summary>Every native structure as the 64-bit headers lay it out; on every system, since the compiler decides it.</summary>
[SupportedOSPlatform("windows")]
public class LayoutTests
{
    [Fact]
    public void Overlapped()
    {
        Check<Kernel32.OVERLAPPED>(32, ("Internal", 0), ("InternalHigh", 8), ("Offset", 16), ("OffsetHigh", 20), ("hEvent", 24));
        Check<Kernel32.OVERLAPPED_ENTRY>(
            32, ("lpCompletionKey", 0), ("lpOverlapped", 8), ("Internal", 16), ("dwNumberOfBytesTransferred", 24));
        Check<OverlappedSlot.Block>(48, ("Overlapped", 0));
    }

    [Fact]
    public void Sockets()
    {
        Check<Ws2_32.WSABUF>(16, ("len", 0), ("buf", 8));
        Check<Ws2_32.WSAMSG>(56, ("name", 0), ("namelen", 8), ("lpBuffers", 16), ("dwBufferCount", 24), ("Control", 32), ("dwFlags", 48));
        Check<Ws2_32.WSACMSGHDR>(16, ("cmsg_len", 0), ("cmsg_level", 8), ("cmsg_type", 12));
        Check<Ws2_32.LINGER>(4, ("l_onoff", 0), ("l_linger", 2));
        Check<Ws2_32.TCP_INFO_v0>(88, ("BytesInFlight", 28), ("BytesOut", 48), ("BytesRetrans", 68), ("SynRetrans", 84));
        Check<Ws2_32.TCP_INITIAL_RTO_PARAMETERS>(4, ("Rtt", 0), ("MaxSynRetransmissions", 2));
    }

    [Fact]
    public void Objects()
    {
        Check<Ntdll.IO_STATUS_BLOCK>(16, ("Status", 0), ("Information", 8));
        Check<Ntdll.AFD_POLL_INFO>(
            32, ("Timeout", 0), ("NumberOfHandles", 8), ("Exclusive", 12), ("Handle", 16), ("Events", 24), ("Status", 28));
        Check<Ntdll.UNICODE_STRING>(16, ("Length", 0), ("MaximumLength", 2), ("Buffer", 8));
        Check<Ntdll.PUBLIC_OBJECT_BASIC_INFORMATION>(
            56, ("Attributes", 0), ("GrantedAccess", 4), ("HandleCount", 8), ("PointerCount", 12), ("Reserved", 16));
    }

    [Fact]
    public void ExtensionFunctions()
    {
        Assert.Equal("b5367df1-cbac-11cf-95ca-00805f48a192", Mswsock.WSAID_ACCEPTEX.ToString());
        Assert.Equal("25a207b9-ddf3-4660-8ee9-76e58c74063e", Mswsock.WSAID_CONNECTEX.ToString());
        Assert.Equal("f689d7c8-6f1f-436b-8a53-e54fe351c322", Mswsock.WSAID_WSARECVMSG.ToString());
    }

    private static unsafe void Check<T>(int size, params (string Field, int Offset)[] fields)
        where T : unmanaged
    {
        Assert.Equal(size, sizeof(T));
        foreach ((string field, int offset) in fields)
            Assert.Equal(offset, (int)Marshal.OffsetOf<T>(field));
    }
}
