using System.Buffers.Binary;
using System.Text;
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
            ConnectLine = SetUp.Pinned(Encoding.ASCII.GetBytes($"CONNECT {target.Port}\n"));
    }

    /// <summary>False if the target is the server itself: nothing is sent before the client's bytes.</summary>
    internal bool HasAgent => _protocol != GuestProtocol.None;

    internal bool IsWsl => _protocol == GuestProtocol.Wsl;

    internal bool ExpectsAnswer => _protocol == GuestProtocol.Relay;

    /// <summary>The agent may answer with the server's socket: nothing follows the preamble until then.</summary>
    internal bool OffersPass { get; }

    /// <summary>The agent may mark the end of sending by chunks, because the target's family hides resets.</summary>
    internal bool OffersEnds { get; }

    /// <summary>The line that a hybrid vsock expects before the preamble; empty for every other target. Pinned.</summary>
    internal Memory<byte> ConnectLine { get; }

    /// <summary>The preamble of a mapping's connections, with the wish for so many spare sockets, or with the client's address where the agent is to know it. Pinned.</summary>
    internal byte[] For(PortMapping mapping, int spare = 0, string? client = null) => _protocol == GuestProtocol.Wsl ? WslMessage(mapping) : RelayMessage(mapping, spare, client);

    private byte[] RelayMessage(PortMapping mapping, int spare, string? client) =>
        SetUp.Encode((ref writer, preamble) => preamble.Write(ref writer), mapping.Protocol == MapProtocol.Udp
            ? new GuestPreamble(mapping.GuestFamily, mapping.GuestPort, Protocol: MapProtocol.Udp)
            : new GuestPreamble(mapping.GuestFamily, mapping.GuestPort, OffersPass, OffersEnds, Spare: spare, Client: client));

    // LX_INIT_START_SOCKET_RELAY as WSL's init has read it since August 2026, when MESSAGE_HEADER grew from 12 to 16 bytes: header (type,
    // size, transaction id, transaction step), then family and port in Linux's numbers, padding, and the size of init's buffer.
    private static byte[] WslMessage(PortMapping mapping)
    {
        const uint Type = 15;
        const ushort AfInet = 2;
        const ushort AfInet6 = 10;
        const ulong InitBufferSize = 0x20000;
        byte[] message = GC.AllocateArray<byte>(32, pinned: true);
        BinaryPrimitives.WriteUInt32LittleEndian(message, Type);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(16), mapping.GuestFamily == 6 ? AfInet6 : AfInet);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(18), (ushort)mapping.GuestPort);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(24), InitBufferSize);
        return message;
    }
}

/// <summary>What the other end of the target understands.</summary>
internal enum GuestProtocol
{
    /// <summary>The server itself: nothing is sent before the client's bytes.</summary>
    None,

    /// <summary>This project's own agent: a preamble, and an answer.</summary>
    Relay,

    /// <summary>WSL's init: its own message, and no answer.</summary>
    Wsl,
}
