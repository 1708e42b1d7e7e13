using RelayProtocol;

namespace Wslrelay.Relaying;

/// <summary>
/// One <c>connections</c> request: finds the connections at once, and asks the system about each when it is told to. What a connection needs for it beyond what
/// it is for is four bytes. Loop thread only.
/// </summary>
internal sealed class ConnectionQuery
{
    /// <summary>The unit of <see cref="IListedClient.AcceptedAt"/>, of which 32 bits are two years.</summary>
    internal const int TickMilliseconds = 16;

    private readonly IListedClient[] _found;

    /// <param name="ports">The mappings, each once.</param>
    /// <param name="limit">How many connections are described, the oldest.</param>
    internal ConnectionQuery(IEnumerable<MappedPort> ports, int limit)
    {
        MappedPort[] used = [.. ports.Where(static port => port.ActiveCount > 0)];
        _found = new IListedClient[used.Sum(static port => port.ActiveCount)];
        ulong[] order = new ulong[_found.Length];
        uint now = Now;
        int first = 0;
        foreach (MappedPort port in used)
        {
            // The newest is the first of its list.
            int i = first += port.ActiveCount;
            foreach (IListedClient client in port.Clients)
            {
                // By age, and of one age as they were found.
                _found[--i] = client;
                order[i] = ((ulong)~(now - client.AcceptedAt) << 32) | (uint)i;
            }
        }

        Array.Sort(order, _found);
        Count = Math.Min(_found.Length, limit);
    }

    /// <summary>The present time as <see cref="IListedClient.AcceptedAt"/> has it.</summary>
    internal static uint Now => (uint)(Environment.TickCount64 / TickMilliseconds);

    /// <summary>How many connections were found, the oldest first.</summary>
    internal int Count { get; }

    /// <summary>What is known of one of them. One that is over by now has no client any more.</summary>
    internal RelayConnection Describe(int index)
    {
        IListedClient client = _found[index];
        PortMapping mapping = client.Mapping;
        DateTimeOffset since = DateTimeOffset.UtcNow - TimeSpan.FromMilliseconds((Now - client.AcceptedAt) * (double)TickMilliseconds);
        if (client.State is not { } state)
            return new RelayConnection(mapping.Key, mapping.GuestPort, null, since, RelayConnectionState.ClientEnded, null, null);

        (long? toGuest, long? toHost) = client.ByteCounts;
        return new RelayConnection(mapping.Key, mapping.GuestPort, client.ClientEndPoint, since, state, toGuest, toHost);
    }
}
