using System.Diagnostics;
using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>A call of the kernel that never waits, before it is made: a receive or send of a piece of memory on a socket, or its close.</summary>
[SupportedOSPlatform("linux")]
internal readonly unsafe struct SystemCall
{
    private SystemCall(byte opcode, EpollHandle socket, byte* memory, int size, IoOperation? operation)
    {
        Opcode = opcode;
        Socket = socket;
        Memory = memory;
        Size = size;
        Operation = operation;
    }

    /// <summary>Which, by its number in io_uring.</summary>
    internal byte Opcode { get; }

    /// <summary>Of which socket.</summary>
    internal EpollHandle Socket { get; }

    /// <summary>Where the bytes are, or will be. Does not move until the call was made.</summary>
    internal byte* Memory { get; }

    /// <summary>Bytes.</summary>
    internal int Size { get; }

    /// <summary>Whose call it is; null where nobody waits for its result.</summary>
    internal IoOperation? Operation { get; }

    /// <summary>None waits, and none raises a signal.</summary>
    internal uint Flags => Opcode switch
    {
        Libc.IORING_OP_RECV => Libc.MSG_DONTWAIT,
        Libc.IORING_OP_SEND => Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL,
        _ => 0,
    };

    /// <summary>A receive of at most so many bytes.</summary>
    internal static SystemCall Receive(EpollHandle from, byte* memory, int size, IoOperation operation) => new(Libc.IORING_OP_RECV, from, memory, size, operation);

    /// <summary>A send of so many bytes.</summary>
    internal static SystemCall Send(EpollHandle to, byte* memory, int size, IoOperation operation) => new(Libc.IORING_OP_SEND, to, memory, size, operation);

    /// <summary>The close of a socket that is used no more.</summary>
    internal static SystemCall Close(EpollHandle socket) => new(Libc.IORING_OP_CLOSE, socket, null, 0, null);

    /// <summary>Makes it by itself; returns bytes, or an errno below zero.</summary>
    internal int Execute()
    {
        switch (Opcode)
        {
            case Libc.IORING_OP_RECV:
                return Result(Libc.recv(Socket, Memory, (nuint)Size, (int)Flags));
            case Libc.IORING_OP_SEND:
                return Result(Libc.send(Socket, Memory, (nuint)Size, (int)Flags));
            default:
                Socket.Dispose();
                return 0;
        }
    }

    /// <summary>It was made, and returned this: notes what that tells of the socket.</summary>
    internal void Note(int result)
    {
        switch (Opcode)
        {
            case Libc.IORING_OP_RECV:
                NativeIo.OnReceiveResult(Socket, result, Size);
                break;
            case Libc.IORING_OP_SEND:
                NativeIo.NoteSent(Socket, result);
                break;
            default:
                Debug.Assert(result >= 0, "a descriptor could not be closed");
                Socket.SetHandleAsInvalid();
                Socket.Port.OnDescriptorClosed();
                break;
        }
    }

    private static int Result(nint result) => result >= 0 ? (int)result : -Errno.Last;
}
