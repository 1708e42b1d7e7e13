using System.Buffers.Binary;

namespace Wslrelay.Io.Linux;

/// <summary>A pump to a hop that gets chunks (<see cref="ChunkMode.Write"/>). Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ChunkWriter : Pump
{
    private bool _ended;

    internal ChunkWriter(EpollHandle from, EpollHandle to, ByteCounter counter, IIoOwner owner)
        : base(from, to, counter, owner) => DisableSplice();

    private protected override unsafe int FillBuffer()
    {
        if (_ended)
            return 0;

        byte[] buffer = From.Port.Buffers.Rent();
        int received = From.Receive(Memory(buffer) + ChunkParser.HeaderSize, buffer.Length - ChunkParser.HeaderSize);
        if (received < 0 || (received == 0 && From.Broken))
        {
            From.Port.Buffers.Return(buffer);
            return -received;
        }

        _ended = received == 0;
        // Taken for readable, so that once the mark is sent the next call ends the direction.
        From.Readable |= _ended;
        BinaryPrimitives.WriteInt32BigEndian(buffer, received);
        SetUnsent(buffer, received + ChunkParser.HeaderSize);
        return 0;
    }

    // The mark has informed the peer: the hop stays open, so that a send of no bytes still shows whether the peer is there.
    private protected override bool PassOnEnd() => true;
}
