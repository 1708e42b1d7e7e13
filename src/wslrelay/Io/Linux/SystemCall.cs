using System.Diagnostics;
using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>A system call that never blocks, to be made later: a receive or send on a socket, or its close.</summary>
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

    /// <summary>The call's io_uring opcode.</summary>
    internal byte Opcode { get; }

    internal EpollHandle Socket { get; }

    /// <summary>The bytes to send, or the memory to receive into; must not move until the call was made.</summary>
    internal byte* Memory { get; }

    internal int Size { get; }

    /// <summary>The operation that gets the result; null for a close.</summary>
    internal IoOperation? Operation { get; }

    internal uint Flags => Opcode switch
    {
        Libc.IORING_OP_RECV => Libc.MSG_DONTWAIT,
        Libc.IORING_OP_SEND => Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL,
        _ => 0,
    };

    internal static SystemCall Receive(EpollHandle from, byte* memory, int size, IoOperation operation) => new(Libc.IORING_OP_RECV, from, memory, size, operation);

    internal static SystemCall Send(EpollHandle to, byte* memory, int size, IoOperation operation) => new(Libc.IORING_OP_SEND, to, memory, size, operation);

    internal static SystemCall Close(EpollHandle socket) => new(Libc.IORING_OP_CLOSE, socket, null, 0, null);

    /// <summary>Makes the call directly. Returns bytes, or a negative errno.</summary>
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

    /// <summary>Updates the socket's state with what the call returned.</summary>
    internal void ApplyResult(int result)
    {
        switch (Opcode)
        {
            case Libc.IORING_OP_RECV:
                NativeIo.OnReceiveResult(Socket, result, Size);
                break;
            case Libc.IORING_OP_SEND:
                NativeIo.OnSendResult(Socket, result);
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
