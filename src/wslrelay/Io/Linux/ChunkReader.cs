using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// A pump from a hop that sends chunks (<see cref="ChunkMode.Read"/>). It passes the end on when the mark comes, and completes when the peer,
/// which has then had the end of the other direction too, closes the hop. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class ChunkReader : Pump
{
    private readonly ChunkParser _chunks = new();
    private bool _endPassedOn;

    internal ChunkReader(EpollHandle from, EpollHandle to, ByteCounter counter, IIoOwner owner)
        : base(from, to, counter, owner) => DisableSplice();

    private protected override unsafe int FillBuffer()
    {
        byte[] buffer = From.Port.Buffers.Rent();
        while (true)
        {
            if (_chunks.Ended && !_endPassedOn)
            {
                _endPassedOn = true;
                if (!To.ShutdownSend())
                    To.MarkBroken();
            }

            int received = From.Receive(Memory(buffer), buffer.Length);
            int size = received > 0 ? _chunks.Parse(buffer.AsSpan(0, received)) : 0;
            if (size > 0)
            {
                // Taken for readable, so that once this is sent the next call passes the end on.
                From.Readable |= _chunks.Ended;
                SetUnsent(buffer, size);
                return 0;
            }

            bool isEnd = received == 0 && _endPassedOn && From.SendEnded;
            if (received <= 0 || size < 0)
            {
                From.Port.Buffers.Return(buffer);
                return received < 0 ? -received : isEnd ? 0 : Errno.ECONNRESET;
            }
        }
    }

    // Done when the mark came.
    private protected override bool PassOnEnd() => true;
}
