using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One <c>connections</c> request: finds the connections of a loop at once, and asks the system about each when it is told to. What a connection needs for it beyond what
/// it is for is four bytes. For that loop's thread.
/// </summary>
internal sealed class ConnectionQuery
{
    /// <summary>The unit of <see cref="IListedClient.AcceptedAt"/>, of which 32 bits are two years.</summary>
    internal const int TickMilliseconds = 16;

    /// <summary>Items of a long answer that are made in one turn of a loop: some 50 microseconds of work.</summary>
    internal const int SliceSize = 16;

    private readonly (MappedPort Port, IListedClient Client)[] _found;

    /// <param name="ports">The mappings, each once.</param>
    /// <param name="limit">How many connections are kept, the oldest.</param>
    /// <param name="loop">The loop.</param>
    /// <param name="described">What other loops have described.</param>
    internal ConnectionQuery(MappedPort[] ports, int limit, IoLoop loop, IEnumerable<(MappedPort Port, IListedClient Client)> described)
    {
        List<(MappedPort, IListedClient)> found = [.. described];
        foreach (MappedPort port in ports)
        {
            // The newest is the first of its list.
            int first = found.Count;
            foreach (IListedClient client in port.ClientsOn(loop))
                found.Add((port, client));

            found.Reverse(first, found.Count - first);
        }

        // By age, and of one age as they were found.
        uint now = Now;
        ulong[] order = [.. found.Select((item, i) => ((ulong)~(now - item.Item2.AcceptedAt) << 32) | (uint)i)];
        _found = [.. found];
        Array.Sort(order, _found);
        if (_found.Length > limit)
            Array.Resize(ref _found, limit);
    }

    /// <summary>The present time as <see cref="IListedClient.AcceptedAt"/> has it.</summary>
    internal static uint Now => (uint)(Environment.TickCount64 / TickMilliseconds);

    /// <summary>How many connections were found, the oldest first.</summary>
    internal int Count => _found.Length;

    /// <summary>What is known of one of them; null if it is over by now.</summary>
    internal RelayConnection? Describe(int index)
    {
        (MappedPort port, IListedClient client) = _found[index];
        if (client is Described described)
            return described.Connection;

        if (client.State is not { } state)
            return null;

        (long? toGuest, long? toHost) = client.ByteCounts;
        TimeSpan age = TimeSpan.FromMilliseconds((Now - client.AcceptedAt) * (double)TickMilliseconds);
        return new RelayConnection(port.Mapping.Key, port.Mapping.GuestPort, client.ClientEndPoint, DateTimeOffset.UtcNow - age, state, toGuest, toHost);
    }

    /// <summary>Describes all that were found, a few in each turn of their loop, then calls back there.</summary>
    internal void DescribeAll(IoLoop loop, Action<(MappedPort Port, IListedClient Client)[]> done, int from = 0)
    {
        int end = Math.Min(from + SliceSize, Count);
        for (int i = from; i < end; i++)
        {
            if (Describe(i) is { } connection)
                _found[i].Client = new Described(connection, _found[i].Client.AcceptedAt);
        }

        if (end < Count)
            loop.Post(() => DescribeAll(loop, done, end));
        else
            done(Array.FindAll(_found, static found => found.Client is Described));
    }

    private sealed record Described(RelayConnection Connection, uint AcceptedAt) : IListedClient
    {
        public IPEndPoint? ClientEndPoint => null;

        public RelayConnectionState? State => null;
    }
}
