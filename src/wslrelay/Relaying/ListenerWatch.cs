using System.Net;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The agent's watch over what listens in its guest (protocol, section 8): one poll for all relays that watch, on a thread that runs while one does, so that no
/// connection waits for it. Each stream belongs to the loop of its connection, all else to the one that listens.
/// </summary>
internal sealed class ListenerWatch(IoLoop loop, IPAddress loopback)
{
    // A change is reported within a second, and at most every 250 ms.
    private const int MinPollMilliseconds = 250;
    private const int MaxPollMilliseconds = 500;

    // Each with its number, and whether it asks for udp too: what a relay listens on by then must be in its first report, so that it knows a network that both share.
    private readonly Dictionary<ListenerStream, (int Number, bool Udp)> _streams = [];
    private readonly AutoResetEvent _added = new(false);
    private CancellationTokenSource? _stop;
    private int _additions;
    private bool _readsUdp;

    /// <summary>Where the agent itself listens by TCP, which is no server of the guest's.</summary>
    public (IPAddress Address, int Port)? Own { get; set; }

    /// <summary>Reports to a relay from now on; the socket is this object's.</summary>
    public void Add(IoLoop own, IoSocket relay, bool udp)
    {
        ListenerStream stream = new(own, relay, ended => loop.Invoke(own, () => Remove(ended)));
        stream.Start();
        loop.Invoke(own, () => Add(stream, udp));
    }

    private void Add(ListenerStream stream, bool udp)
    {
        _streams.Add(stream, (_additions + 1, udp));
        Volatile.Write(ref _readsUdp, _readsUdp || udp);
        Volatile.Write(ref _additions, _additions + 1);
        _ = _added.Set();
        if (_stop is null)
        {
            CancellationTokenSource stop = new();
            try
            {
                new Thread(() => Poll(stop.Token), 256 * 1024) { IsBackground = true, Name = "listeners" }.Start();
                _stop = stop;
            }
            catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
            {
                // The system's limit of threads, or CoreCLR lacks a descriptor for one: the agent's other connections need none.
                Report(stream, Refusal(RelayErrorCode.TooManyOpenFiles, $"no thread could be started: {e.Message}"), isRefusal: true);
            }
        }
    }

    private static byte[] Refusal(RelayErrorCode code, string problem) =>
        SetUp.Encode(WireFormat.WriteError, new RelayError(code, $"this guest does not tell what listens in it: {problem}"));

    private void Report(ListenerStream stream, byte[] message, bool isRefusal) => stream.Loop.Invoke(loop, () => stream.Report(message, isRefusal));

    private void Remove(ListenerStream stream)
    {
        _ = _streams.Remove(stream);
        if (_streams.Count == 0)
        {
            _stop?.Cancel();
            _stop = null;
            _readsUdp = false;
        }
    }

    private void Poll(CancellationToken stop)
    {
        ListenerTable table = loop.Port.Listeners();
        List<ListeningSocket> now = [];
        List<ListeningSocket> reported = [];
        Dictionary<ulong, string> programs = [];
        int last = 0;
        do
        {
            int additions = Volatile.Read(ref _additions);
            if (Read(table, now) is { } problem)
            {
                if (additions != last)
                {
                    byte[] refusal = Refusal(problem.Error.ToErrorCode(), problem.Message);
                    Publish(refusal, refusal, last, additions, isRefusal: true);
                }
            }
            else
            {
                // A table that is read while sockets come and go can lack one that was there all the time: nothing is gone before a second look.
                bool isChanged = !now.SequenceEqual(reported);
                if (isChanged && !now.ToHashSet().IsSupersetOf(reported) && Read(table, now) is not null)
                    continue;

                if (isChanged || additions != last)
                {
                    List<GuestListener> all = Name(table, now, programs);
                    byte[] ofBoth = SetUp.Encode(ListenerReport.Write, all);
                    byte[] ofTcp = SetUp.Encode(ListenerReport.Write, all.FindAll(static listener => listener.Protocol == MapProtocol.Tcp));
                    Publish(ofTcp, ofBoth, isChanged ? 0 : last, additions);
                }

                reported = [.. now];
            }

            last = additions;
        }
        while (!stop.WaitHandle.WaitOne(MinPollMilliseconds) && WaitHandle.WaitAny([stop.WaitHandle, _added], MaxPollMilliseconds - MinPollMilliseconds) != 0);

        // To those that came after the first number and not after the last.
        void Publish(byte[] ofTcp, byte[] ofBoth, int after, int upTo, bool isRefusal = false) => loop.Post(() =>
        {
            if (stop.IsCancellationRequested)
                return;

            foreach ((ListenerStream stream, (int number, bool udp)) in _streams)
            {
                if (number > after && number <= upTo)
                    Report(stream, udp ? ofBoth : ofTcp, isRefusal);
            }
        });
    }

    // Sorted, each address and port once: several sockets can share one (SO_REUSEPORT).
    private IoException? Read(ListenerTable table, List<ListeningSocket> listeners)
    {
        IoException? problem = table.Read(listeners, Volatile.Read(ref _readsUdp));
        bool isSimulated = !IPAddress.Loopback.Equals(loopback);
        listeners.RemoveAll(socket => isSimulated ? !socket.Address.Equals(loopback) : !socket.IsUdp && (socket.Address, socket.Port).Equals(Own));
        for (int i = 0; isSimulated && i < listeners.Count; i++)
            listeners[i] = listeners[i] with { Address = IPAddress.Loopback };

        ListeningSocket[] sorted = [.. listeners.OrderBy(static socket => socket.Port).ThenBy(static socket => socket.Address.ToString(), StringComparer.Ordinal)
            .ThenBy(static socket => socket.IsUdp).ThenBy(static socket => socket.Id).DistinctBy(static socket => (socket.Address, socket.Port, socket.IsUdp))];
        listeners.Clear();
        listeners.AddRange(sorted);
        return problem;
    }

    // Programs are looked up once for each socket.
    private static List<GuestListener> Name(ListenerTable table, List<ListeningSocket> listeners, Dictionary<ulong, string> programs)
    {
        HashSet<ulong> unknown = [.. listeners.Select(static socket => socket.Id)];
        foreach (ulong gone in programs.Keys.Except(unknown).ToArray())
            _ = programs.Remove(gone);

        unknown.ExceptWith(programs.Keys);
        _ = unknown.Remove(0);
        if (unknown.Count > 0)
            table.FindPrograms(unknown, programs);

        foreach (ulong id in unknown)
            _ = programs.TryAdd(id, "");

        return [.. listeners.Select(socket => new GuestListener(
            socket.Address, socket.Port, socket.IsVersion6Only, programs.GetValueOrDefault(socket.Id) is { Length: > 0 } program ? program : null,
            socket.IsUdp ? MapProtocol.Udp : MapProtocol.Tcp))];
    }
}
