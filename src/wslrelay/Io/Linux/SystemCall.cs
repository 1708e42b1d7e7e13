using System.Diagnostics;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>A system call that never blocks, to be made later: a receive or send on a socket, or its close.</summary>
[SupportedOSPlatform("linux")]
internal readonly unsafe struct SystemCall(byte opcode, EpollHandle socket, byte* memory, int size, IoOperation? operation)
{
    internal byte Opcode => opcode;

    internal EpollHandle Socket => socket;

    /// <summary>The bytes to send, or the memory to receive into; must not move until the call was made.</summary>
    internal byte* Memory => memory;

    internal int Size => size;

    /// <summary>The operation that gets the result; null for a close.</summary>
    internal IoOperation? Operation => operation;

    internal uint Flags => opcode switch
    {
        Libc.IORING_OP_RECV => Libc.MSG_DONTWAIT,
        Libc.IORING_OP_SEND => Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL,
        _ => 0,
    };

    internal static SystemCall Receive(EpollHandle from, byte* memory, int size, IoOperation operation) => new(Libc.IORING_OP_RECV, from, memory, size, operation);

    internal static SystemCall Send(EpollHandle to, byte* memory, int size, IoOperation operation) => new(Libc.IORING_OP_SEND, to, memory, size, operation);

    internal static SystemCall Close(EpollHandle socket) => new(Libc.IORING_OP_CLOSE, socket, null, 0, null);

    /// <summary>Makes the call directly, without the ring. Returns bytes, or a negative errno.</summary>
    internal int Execute()
    {
        switch (opcode)
        {
            case Libc.IORING_OP_RECV:
                return socket.Receive(memory, size);
            case Libc.IORING_OP_SEND:
                return socket.Send(memory, size);
            default:
                socket.Dispose();
                socket.Port.OnDescriptorClosed();
                return 0;
        }
    }

    /// <summary>Updates the socket's state with what the ring has returned.</summary>
    internal void ApplyResult(int result)
    {
        switch (opcode)
        {
            case Libc.IORING_OP_RECV:
                socket.OnReceiveResult(result, size);
                break;
            case Libc.IORING_OP_SEND:
                socket.OnSendResult(result);
                break;
            default:
                Debug.Assert(result >= 0, "a descriptor could not be closed");
                socket.SetHandleAsInvalid();
                socket.Port.OnDescriptorClosed();
                break;
        }
    }
}
