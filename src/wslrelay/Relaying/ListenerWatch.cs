using System.Net;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The agent's watch over what listens in its guest (protocol, section 8): one poll for all relays that watch, on a thread that runs while one does, so that no
/// connection waits for it. Loop thread only, but for the poll.
/// </summary>
internal sealed class ListenerWatch(IoLoop loop)
{
    // A change is reported within a second, and at most every 250 ms.
    private const int PollMilliseconds = 500;

    private readonly HashSet<ListenerStream> _streams = [];
    private CancellationTokenSource? _stop;
    private byte[]? _report;
    private bool _isRefused;

    /// <summary>Where the agent itself listens by TCP, which is no server of the guest's.</summary>
    public (IPAddress Address, int Port)? Own { get; set; }

    /// <summary>Reports to a relay from now on; the socket is this object's.</summary>
    public void Add(IoSocket relay)
    {
        ListenerStream stream = new(loop, relay, Remove);
        _ = _streams.Add(stream);
        stream.Start();
        if (_report is not null)
            stream.Report(_report, _isRefused);

        if (_stop is null)
        {
            _stop = new CancellationTokenSource();
            CancellationToken stop = _stop.Token;
            new Thread(() => Poll(stop), 256 * 1024) { IsBackground = true, Name = "listeners" }.Start();
        }
    }

    private void Remove(ListenerStream stream)
    {
        _ = _streams.Remove(stream);
        if (_streams.Count == 0)
        {
            _stop!.Cancel();
            (_stop, _report) = (null, null);
        }
    }

    private void Poll(CancellationToken stop)
    {
        ListenerTable table = loop.Port.Listeners();
        List<ListeningSocket> now = [];
        List<ListeningSocket>? reported = null;
        Dictionary<ulong, string> programs = [];
        do
        {
            if (Read(table, now) is { } problem)
            {
                if (reported is null)
                {
                    Publish(SetUp.Encode(WireFormat.WriteError, new RelayError(RelayErrorCode.NotSupported, $"this guest does not tell what listens in it: {problem}")), isRefusal: true);
                    return;
                }
            }
            else if (reported is null || !now.SequenceEqual(reported))
            {
                // A table that is read while sockets come and go can lack one that was there all the time: nothing is gone before a second look.
                if (reported is not null && !reported.TrueForAll(now.Contains))
                    _ = Read(table, now);

                reported = [.. now];
                Publish(SetUp.Encode(ListenerReport.Write, Name(table, now, programs)));
            }
        }
        while (!stop.WaitHandle.WaitOne(PollMilliseconds));

        void Publish(byte[] report, bool isRefusal = false) => loop.Post(() =>
        {
            if (stop.IsCancellationRequested)
                return;

            (_report, _isRefused) = (report, isRefusal);
            foreach (ListenerStream stream in _streams)
                stream.Report(report, isRefusal);
        });
    }

    // Sorted, each address and port once: several sockets can share one (SO_REUSEPORT).
    private string? Read(ListenerTable table, List<ListeningSocket> listeners)
    {
        string? problem = table.Read(listeners);
        listeners.RemoveAll(socket => (socket.Address, socket.Port).Equals(Own));
        ListeningSocket[] sorted = [.. listeners.OrderBy(static socket => socket.Port).ThenBy(static socket => socket.Address.ToString(), StringComparer.Ordinal)
            .ThenBy(static socket => socket.Id).DistinctBy(static socket => (socket.Address, socket.Port))];
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
            socket.Address, socket.Port, socket.IsVersion6Only, programs.GetValueOrDefault(socket.Id) is { Length: > 0 } program ? program : null))];
    }
}
