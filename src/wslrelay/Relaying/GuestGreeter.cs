using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using RelayProtocol;
using RelayProtocol.MessagePack;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>Knows how the agent at the other end wants to be met, and makes the greetings. Loop thread only.</summary>
internal sealed class GuestGreeter
{
    private const int BufferSize = 1024;

    private readonly GuestProtocol _protocol;
    private readonly Memory<byte> _connectLine;
    private readonly BufferPool _buffers = new(BufferSize);

    internal GuestGreeter(RelayTarget target, GuestProtocol protocol)
    {
        _protocol = target.HasAgent ? protocol : GuestProtocol.None;
        if (target.Kind == RelayTargetKind.Firecracker)
        {
            _connectLine = Pinned(Encoding.ASCII.GetBytes($"CONNECT {target.Port}\n"));
        }
    }

    /// <summary>Begins to greet, or returns null where the target is the server itself.</summary>
    internal GuestGreeting? Begin(IoPort port, IoSocket agent, PortListener listener, IIoOwner owner) => _protocol == GuestProtocol.None
        ? null
        : new GuestGreeting(port, agent, owner, _buffers, _connectLine, listener.Greeting, _protocol == GuestProtocol.Relay);

    /// <summary>The greeting of a mapping: made once, sent often.</summary>
    internal Memory<byte> Greeting(PortMapping mapping) =>
        _protocol == GuestProtocol.Wsl ? Pinned(WslGreeting(mapping)) : Pinned(RelayGreeting(mapping));

    private static byte[] RelayGreeting(PortMapping mapping)
    {
        ArrayBufferWriter<byte> bytes = new();
        MessagePackWriter writer = new(bytes);
        new GuestPreamble(mapping.Family, mapping.GuestPort).Write(ref writer);
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    // LX_INIT_START_SOCKET_RELAY as WSL's init has read it since August 2026, when MESSAGE_HEADER grew from 12 to 16 bytes: header (type,
    // size, transaction id, transaction step), then family and port in Linux's numbers, padding, and the size of init's buffer.
    private static byte[] WslGreeting(PortMapping mapping)
    {
        const uint Type = 15;
        const ushort AfInet = 2;
        const ushort AfInet6 = 10;
        const ulong InitBufferSize = 0x20000;
        byte[] message = new byte[32];
        BinaryPrimitives.WriteUInt32LittleEndian(message, Type);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(16), mapping.Family == 6 ? AfInet6 : AfInet);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(18), (ushort)mapping.GuestPort);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(24), InitBufferSize);
        return message;
    }

    private static Memory<byte> Pinned(ReadOnlySpan<byte> bytes)
    {
        byte[] pinned = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(pinned);
        return pinned;
    }
}
