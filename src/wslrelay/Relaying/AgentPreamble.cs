using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;

namespace Wslrelay.Relaying;

/// <summary>What the relay sends first on each connection to an agent. Immutable; any thread.</summary>
internal sealed class AgentPreamble
{
    private readonly GuestProtocol _protocol;

    internal AgentPreamble(RelayTarget target, GuestProtocol protocol)
    {
        _protocol = target.HasAgent ? protocol : GuestProtocol.None;
        OffersPass = _protocol == GuestProtocol.Relay && target.Kind == RelayTargetKind.Unix;
        OffersEnds = _protocol == GuestProtocol.Relay && target.Kind != RelayTargetKind.Tcp;
        if (target.Kind == RelayTargetKind.Firecracker)
            ConnectLine = Pinned(Encoding.ASCII.GetBytes($"CONNECT {target.Port}\n"));
    }

    /// <summary>False where the target is the server itself: nothing comes before the client's bytes.</summary>
    internal bool HasAgent => _protocol != GuestProtocol.None;

    internal bool ExpectsAnswer => _protocol == GuestProtocol.Relay;

    /// <summary>The agent may answer with the server's socket: nothing follows the preamble until then.</summary>
    internal bool OffersPass { get; }

    /// <summary>The agent may mark the end of sending by chunks, for the target's family hides resets.</summary>
    internal bool OffersEnds { get; }

    /// <summary>What a hybrid vsock wants before the preamble; empty for every other target. Pinned.</summary>
    internal Memory<byte> ConnectLine { get; }

    /// <summary>The preamble of a mapping's connections. Pinned.</summary>
    internal Memory<byte> For(PortMapping mapping) =>
        _protocol == GuestProtocol.Wsl ? Pinned(WslMessage(mapping)) : Pinned(Preamble(mapping));

    private ReadOnlySpan<byte> Preamble(PortMapping mapping)
    {
        ArrayBufferWriter<byte> bytes = new();
        MessagePackWriter writer = new(bytes);
        new GuestPreamble(mapping.Family, mapping.GuestPort, OffersPass, OffersEnds).Write(ref writer);
        writer.Flush();
        return bytes.WrittenSpan;
    }

    // LX_INIT_START_SOCKET_RELAY as WSL's init has read it since August 2026, when MESSAGE_HEADER grew from 12 to 16 bytes: header (type,
    // size, transaction id, transaction step), then family and port in Linux's numbers, padding, and the size of init's buffer.
    private static byte[] WslMessage(PortMapping mapping)
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
