using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// The wait: requested wake-ups, the results of batched calls, and epoll's events, in this order.
internal sealed partial class EpollPort
{
    // Results lead to further calls, whose results come next: after so many rounds epoll is polled all the same, so that nobody is starved.
    private const int MaxResultRounds = 4;

    // One direction's piece: if it is alone, and beside others. Smaller ones make small requests wait longer (bench/README.md).
    private const int LonePiece = 4 << 20;
    private const int Piece = 1 << 20;

    // For so many polls after a wake-up of anything but bulk, another is expected.
    private const int PollsAfterSmall = 64;

    private int _resultRounds;
    private long _lastSmallPoll = -PollsAfterSmall;

    /// <summary>Bytes that one direction may move before the loop looks for what else has come.</summary>
    internal int PieceSize { get; private set; } = Piece;

    public override int Wait(Span<IoEvent> events, int timeoutMilliseconds)
    {
        int count = 0;
        while (count < events.Length && _requestedWakeUps.TryDequeue(out IoOperation? requested))
            events[count++] = new IoEvent(requested, null, 0, 0);

        bool mustPoll = ++_resultRounds >= MaxResultRounds;
        Span<IoEvent> room = events[count..];
        int results = Calls.Execute(mustPoll ? room[..(room.Length / 2)] : room);
        count += results;
        if (mustPoll || results == 0)
            count = WaitForReadiness(events, count, Calls.HasQueued ? 0 : timeoutMilliseconds);

        Calls.SetExpectedCalls(count);
        PieceSize = count == 0 && YieldedCount == 1 && PollCount - _lastSmallPoll >= PollsAfterSmall ? LonePiece : Piece;
        return count;
    }

    private unsafe int WaitForReadiness(Span<IoEvent> events, int count, int timeoutMilliseconds)
    {
        // One event can wake both a reader and a writer.
        int room = Math.Min((events.Length - count) / 2, MaxBatch);
        if (room == 0)
            return count;

        PollCount++;
        TimeSlice.OnTurn();
        _resultRounds = 0;

        // What was closed just now lets parked listeners go on.
        bool hasMore = count > 0 || (_closedCount > 0 && IsListening && Reserve.HasParked);
        byte* native = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_native, 0);
        int reported = Libc.epoll_wait(_epoll, native, room, hasMore ? 0 : timeoutMilliseconds);
        if (reported < 0 && Errno.Last != Errno.EINTR)
            throw Errno.Exception(Errno.Last, "epoll_wait");

        for (int i = 0; i < reported; i++, native += EpollEvent.Size)
        {
            ulong token = EpollEvent.Data(native);
            if (token == WakeToken)
            {
                // Edge-triggered and never read: each write is a new edge.
                continue;
            }

            EpollHandle? handle = _tokens.Find(token);
            if (handle is null)
                continue;

            // An operation that has yielded is queued already and needs no wake-up.
            uint reportedEvents = EpollEvent.Events(native);
            bool wakesWriter = handle.UpdateReadiness(reportedEvents);
            if (handle.Reader is { State: IoState.Pending } reader && (reportedEvents & EpollHandle.ReadEvents) != 0)
                events[count++] = WakeUp(reader);

            if (handle.Writer is { State: IoState.Pending } writer && wakesWriter)
                events[count++] = WakeUp(writer);
        }

        return count;
    }

    private IoEvent WakeUp(IoOperation operation)
    {
        if (!operation.IsBulk)
            _lastSmallPoll = PollCount;

        return new IoEvent(operation, null, 0, 0);
    }
}
