using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// The wait itself: what was asked for, the results of calls, and what epoll reports, in this order.
internal sealed partial class EpollPort
{
    // Calls that follow from calls come first, but not for ever: the others must not wait for a busy few.
    private const int MaxResultRounds = 4;

    private int _resultRounds;
    private int _yieldedCount;

    /// <summary>One pump has yielded, and the wait since has brought nothing for anybody.</summary>
    internal bool IsOnlyActivePump { get; private set; }

    /// <inheritdoc/>
    public override int Wait(Span<IoEvent> events, int timeoutMilliseconds)
    {
        int count = 0;
        while (count < events.Length && _requestedWakeUps.TryDequeue(out IoOperation? requested))
        {
            events[count++] = new IoEvent(requested, null, 0, 0);
        }

        bool polls = !Calls.HasResults || ++_resultRounds >= MaxResultRounds;
        Span<IoEvent> room = events[count..];
        count += Calls.DrainResults(polls ? room[..(room.Length / 2)] : room);
        if (polls)
        {
            count = WaitForReadiness(events, count, Calls.HasResults ? 0 : timeoutMilliseconds);
        }

        Calls.SetExpectedCalls(count);
        IsOnlyActivePump = count == 0 && _yieldedCount == 1;
        _yieldedCount = 0;
        return count;
    }

    /// <summary>A pump has had its turn, and will go on after the next wait.</summary>
    internal void OnPumpYielded() => _yieldedCount++;

    private unsafe int WaitForReadiness(Span<IoEvent> events, int count, int timeoutMilliseconds)
    {
        // An event can wake a reader and a writer.
        int room = Math.Min((events.Length - count) / 2, MaxBatch);
        if (room == 0)
        {
            return count;
        }

        Turn++;
        _resultRounds = 0;

        timeoutMilliseconds = AtMost(ParkedRetryMilliseconds, Reserve.HasParked, timeoutMilliseconds);
        timeoutMilliseconds = AtMost(RetryMilliseconds, _retries.Count > 0, timeoutMilliseconds);
        byte* native = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_native, 0);
        int reported = count > 0 || timeoutMilliseconds == 0
            ? Libc.epoll_wait_nonblocking(_epoll, native, room, 0)
            : Libc.epoll_wait(_epoll, native, room, timeoutMilliseconds);
        if (reported < 0 && Errno.Last != Errno.EINTR)
        {
            throw Errno.Exception(Errno.Last, "epoll_wait");
        }

        for (int i = 0; i < reported; i++, native += EpollEvent.Size)
        {
            ulong token = EpollEvent.Data(native);
            if (token == WakeToken)
            {
                // Edge-triggered and never read: each write is a new edge, and the sum is of no interest.
                continue;
            }

            EpollHandle? handle = _tokens.Find(token);
            if (handle is null)
            {
                continue;
            }

            // What has yielded goes on in any case.
            uint what = EpollEvent.Events(native);
            bool wakesWriter = handle.UpdateReadiness(what);
            if (handle.Reader is { State: IoState.Pending } reader && (what & EpollHandle.ReadEvents) != 0)
            {
                events[count++] = new IoEvent(reader, null, 0, 0);
            }

            if (handle.Writer is { State: IoState.Pending } writer && wakesWriter)
            {
                events[count++] = new IoEvent(writer, null, 0, 0);
            }
        }

        return count;
    }

    private static int AtMost(int milliseconds, bool applies, int timeout) =>
        applies && (timeout < 0 || timeout > milliseconds) ? milliseconds : timeout;
}
