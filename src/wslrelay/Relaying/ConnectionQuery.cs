using System.Net;
using System.Runtime.InteropServices;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// What the open connections of some mappings are, as <c>connections</c> tells: found at once, described one by one when their turn to be written has come.
/// For the thread of the loop that has them.
/// </summary>
internal sealed class ConnectionQuery
{
    /// <summary>The unit of <see cref="IListedClient.AcceptedAt"/>, of which 32 bits are two years.</summary>
    internal const int TickMilliseconds = 16;

    // Those that another loop describes in one turn: some 50 microseconds of work.
    private const int SliceSize = 16;

    private readonly List<IListedClient> _found;

    /// <param name="ports">The mappings, each once.</param>
    /// <param name="limit">How many connections are described, the oldest.</param>
    /// <param name="loop">The loop whose connections are found.</param>
    /// <param name="described">What other loops have described.</param>
    internal ConnectionQuery(MappedPort[] ports, int limit, IoLoop loop, IEnumerable<IListedClient> described)
    {
        _found = [.. described];
        foreach (MappedPort port in ports)
        {
            // The newest is the first of its list.
            int first = _found.Count;
            _found.AddRange(port.ClientsOn(loop));
            _found.Reverse(first, _found.Count - first);
        }

        // By age, and of one age as they were found.
        ulong[] order = new ulong[_found.Count];
        uint now = Now;
        for (int i = 0; i < order.Length; i++)
            order[i] = ((ulong)~(now - _found[i].AcceptedAt) << 32) | (uint)i;

        order.AsSpan().Sort(CollectionsMarshal.AsSpan(_found));
        Count = Math.Min(_found.Count, limit);
    }

    /// <summary>The present time as <see cref="IListedClient.AcceptedAt"/> has it.</summary>
    internal static uint Now => (uint)(Environment.TickCount64 / TickMilliseconds);

    /// <summary>How many connections were found, the oldest first.</summary>
    internal int Count { get; }

    /// <summary>What is known of one of them. One that is over by now has no client any more.</summary>
    internal RelayConnection Describe(int index)
    {
        IListedClient client = _found[index];
        if (client is Described described)
            return described.Connection;

        PortMapping mapping = client.Mapping;
        DateTimeOffset since = DateTimeOffset.UtcNow - TimeSpan.FromMilliseconds((Now - client.AcceptedAt) * (double)TickMilliseconds);
        if (client.State is not { } state)
            return new RelayConnection(mapping.Key, mapping.GuestPort, null, since, RelayConnectionState.ClientEnded, null, null);

        (long? toGuest, long? toHost) = client.ByteCounts;
        return new RelayConnection(mapping.Key, mapping.GuestPort, client.ClientEndPoint, since, state, toGuest, toHost);
    }

    /// <summary>Describes all that were found, a few in each turn of their loop, then calls back there.</summary>
    internal void DescribeAll(IoLoop loop, Action<IEnumerable<IListedClient>> done, int from = 0)
    {
        int end = Math.Min(from + SliceSize, Count);
        for (int i = from; i < end; i++)
            _found[i] = new Described(Describe(i), _found[i].Mapping, _found[i].AcceptedAt);

        if (end < Count)
            loop.Post(() => DescribeAll(loop, done, end));
        else
            done(_found.Take(Count));
    }

    private sealed record Described(RelayConnection Connection, PortMapping Mapping, uint AcceptedAt) : IListedClient
    {
        public IPEndPoint? ClientEndPoint => null;

        public RelayConnectionState? State => null;
    }
}
