using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The flows of a udp mapping, found by a datagram: by its sender, and on a wildcard address also by the address that it was sent to. They are in the order of their
/// last use. Loop thread only.
/// </summary>
internal sealed class FlowTable
{
    // A table of more is given back when it is empty.
    private const int SmallCapacity = 64;

    private static readonly Comparer ByClient = new();

    private HashSet<Flow>? _flows;
    private HashSet<Flow>.AlternateLookup<DatagramBatch.Entry> _byDatagram;
    private Flow? _newest;

    internal int Count => _flows?.Count ?? 0;

    /// <summary>The one that was used the longest time ago.</summary>
    internal Flow? Oldest { get; private set; }

    /// <summary>Those used last come first.</summary>
    internal IEnumerable<Flow> NewestFirst
    {
        get
        {
            for (Flow? flow = _newest; flow is not null; flow = flow.Previous)
                yield return flow;
        }
    }

    internal Flow? Find(in DatagramBatch.Entry datagram) => _flows is not null && _byDatagram.TryGetValue(datagram, out Flow? flow) ? flow : null;

    internal void Add(Flow flow, long now)
    {
        if (_flows is null)
        {
            _flows = new HashSet<Flow>(ByClient);
            _byDatagram = _flows.GetAlternateLookup<DatagramBatch.Entry>();
        }

        _flows.Add(flow);
        Append(flow);
        flow.LastUse = now;
    }

    /// <summary>It is used now.</summary>
    internal void Touch(Flow flow, long now)
    {
        flow.LastUse = now;
        if (flow != _newest)
        {
            Unlink(flow);
            Append(flow);
        }
    }

    internal void Remove(Flow flow)
    {
        Unlink(flow);
        _ = _flows!.Remove(flow);
        if (_flows.Count == 0 && _flows.Capacity > SmallCapacity)
            _flows = null;
    }

    private void Append(Flow flow)
    {
        flow.Previous = _newest;
        _newest?.Next = flow;
        _newest = flow;
        Oldest ??= flow;
    }

    private void Unlink(Flow flow)
    {
        if (flow.Previous is null)
            Oldest = flow.Next;
        else
            flow.Previous.Next = flow.Next;

        if (flow.Next is null)
            _newest = flow.Previous;
        else
            flow.Next.Previous = flow.Previous;

        flow.Previous = flow.Next = null;
    }

    private sealed class Comparer : IEqualityComparer<Flow>, IAlternateEqualityComparer<DatagramBatch.Entry, Flow>
    {
        public bool Equals(Flow? x, Flow? y) => ReferenceEquals(x, y);

        public bool Equals(DatagramBatch.Entry alternate, Flow other) => alternate.Client.Equals(other.Client) && alternate.Local.Equals(other.Local);

        public int GetHashCode(Flow obj) => HashCodeOf(obj.Client, obj.Local);

        public int GetHashCode(DatagramBatch.Entry alternate) => HashCodeOf(alternate.Client, alternate.Local);

        public Flow Create(DatagramBatch.Entry alternate) => throw new NotSupportedException();

        private static int HashCodeOf(in InternetAddress client, in InternetAddress local) => local.IsEmpty ? client.GetHashCode() : HashCode.Combine(client, local);
    }
}
