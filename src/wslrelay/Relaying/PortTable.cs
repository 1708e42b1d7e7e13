using System.Diagnostics.CodeAnalysis;
using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The mappings in force, and the only way to change them. Each map and each unmap touches its own listeners and no other.
/// Loop thread only.
/// </summary>
internal sealed class PortTable
{
    private static readonly Comparer<MappedPort> Order = Comparer<MappedPort>.Create(static (one, other) => Compare(one.Mapping, other.Mapping));

    private readonly Dictionary<PortMappingKey, MappedPort> _listeners = [];
    private readonly PortOpener _opener;
    private readonly SpareSockets?[] _spares;

    // In the order of list.
    private readonly List<MappedPort> _sorted = [];

    // Of mappings that are gone, as long as they have connections.
    private readonly HashSet<MappedPort> _unmapped = [];

    public PortTable(IoLoop loop, RelayTargetEndpoint target, GuestProtocol guestProtocol, bool allowRemote, RelayLog log)
    {
        Loop = loop;
        Target = target;
        Log = log;
        Preamble = new AgentPreamble(target.Target, guestProtocol);
        AllSetUps = new SetUpPools<HostSetUp>(loop, (own, pool) => new HostSetUp(this, own, pool));
        _spares = new SpareSockets?[2 * (loop.Group?.Count ?? 1)];
        _opener = new PortOpener(this, allowRemote);
        loop.Garbage.Collecting += () =>
        {
            _listeners.TrimExcess();
            _sorted.TrimExcess();
        };
    }

    public IoLoop Loop { get; }

    public RelayTargetEndpoint Target { get; }

    public RelayLog Log { get; }

    /// <summary>The events for a parent that has subscribed.</summary>
    public RelayEvents Events { get; } = new();

    public AgentPreamble Preamble { get; }

    public SetUpPools<HostSetUp> AllSetUps { get; }

    public SetUpPool<HostSetUp> SetUps => AllSetUps.Of(Loop);

    /// <summary>Milliseconds for the connect, and again for the agent's answer.</summary>
    public int SetUpTimeout { get; init; } = 10_000;

    /// <summary>A loop's sockets for the guest's servers on 127.0.0.1, or on ::1 for the family 6. For its thread.</summary>
    public SpareSockets SparesOf(IoLoop loop, int family) => _spares[(2 * loop.Index) + (family == 6 ? 1 : 0)] ??= new SpareSockets(loop);

    public bool IsEmpty => _listeners.Count == 0;

    public bool Contains(PortMappingKey key) => _listeners.ContainsKey(key);

    public MappedPort? Find(PortMappingKey key) => _listeners.GetValueOrDefault(key);

    /// <summary>The mappings as they are now, sorted by family, address, port and protocol.</summary>
    public MappedPort[] List() => [.. _sorted];

    /// <summary>Finds the connections of these mappings, or of all, also of those that are gone; calls back, at once or when the other loops have told theirs.</summary>
    /// <param name="keys">Whose; none stands for all.</param>
    /// <param name="first">The place of the first key in the request's params.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="found">Called back.</param>
    /// <exception cref="RelayException">There is no such mapping; the error has its index.</exception>
    public void FindConnections(PortMappingKey[] keys, int first, int limit, Action<ConnectionQuery> found)
    {
        MappedPort[] ports = Array.FindAll(FindWithGone(keys, first), static port => port.ActiveCount > 0);
        List<IListedClient> described = [];
        AskLoops(
            (loop, told) => new ConnectionQuery(ports, limit, loop, []).DescribeAll(loop, all =>
            {
                Loop.Post(() => described.AddRange(all));
                told();
            }),
            () => found(new ConnectionQuery(ports, limit, Loop, described)));
    }

    /// <inheritdoc cref="LoopGroup.OnEach"/>
    public void AskLoops(Action<IoLoop, Action> ask, Action done)
    {
        if (Loop.Group is { } group)
            group.OnEach(ask, done);
        else
            done();
    }

    private MappedPort[] FindWithGone(PortMappingKey[] keys, int first)
    {
        if (keys.Length == 0)
            return [.. _listeners.Values, .. _unmapped];

        HashSet<MappedPort> ports = [];
        ILookup<PortMappingKey, MappedPort> unmapped = _unmapped.ToLookup(static port => port.Mapping.Key);
        for (int i = 0; i < keys.Length; i++)
        {
            if (_listeners.TryGetValue(keys[i], out MappedPort? port))
                ports.Add(port);
            else if (!unmapped.Contains(keys[i]))
                throw new RelayException(RelayErrorCode.NotFound, $"{keys[i]} is not mapped", first + i);

            ports.UnionWith(unmapped[keys[i]]);
        }

        return [.. ports];
    }

    /// <summary>
    /// Maps all of them, or none: those already opened are closed again before the exception is thrown. An automatic mapping that has one's key becomes that one.
    /// </summary>
    /// <param name="mappings">What to map.</param>
    /// <param name="auto">The relay maps them by itself.</param>
    /// <param name="namesOwner">The error names who has a port that is taken, which may take a while to find out.</param>
    /// <param name="program">Who listens in the guest, for the event.</param>
    /// <returns>The mappings as they are now in force, in the same order.</returns>
    /// <exception cref="RelayException">The first that failed, with its index.</exception>
    public PortMapping[] Map(IReadOnlyList<PortMapping> mappings, bool auto = false, bool namesOwner = true, string? program = null)
    {
        MappedPort[] opened = new MappedPort[mappings.Count];
        for (int i = 0; i < opened.Length; i++)
        {
            try
            {
                if (Find(mappings[i].Key) is { Auto: true } automatic && !auto && !opened.Contains(automatic))
                {
                    opened[i] = automatic;
                    continue;
                }

                opened[i] = _opener.Open(mappings[i], namesOwner);
                Add(opened[i]);
            }
            catch (RelayException e)
            {
                foreach (MappedPort listener in opened.Take(i).Where(static listener => !listener.Auto))
                {
                    _ = TryRemove(listener.Mapping.Key, out _);
                    listener.Discard();
                }

                throw new RelayException(e.Error with { Index = i });
            }
        }

        for (int i = 0; i < opened.Length; i++)
        {
            MappedPort listener = opened[i];
            if (listener.Auto)
                listener.TakeOver(mappings[i]);
            else
                listener.Start();

            listener.Auto = auto;
            Log.Mapped(listener.Mapping, listener.Target);
            Events.Raise(new MappedEvent(listener.Mapping, auto) { Program = program });
        }

        return Array.ConvertAll(opened, static listener => listener.Mapping);
    }

    /// <summary>Opens a mapping's host port and gives it back at once.</summary>
    /// <exception cref="RelayException">Why it cannot be mapped.</exception>
    public void Probe(PortMapping mapping) => _opener.Open(mapping, namesOwner: true).Discard();

    /// <summary>Takes all of them out, or none; their listeners are then to be closed.</summary>
    /// <exception cref="RelayException">One is not mapped; the error has its index.</exception>
    public MappedPort[] Remove(IReadOnlyList<PortMappingKey> keys)
    {
        MappedPort[] listeners = new MappedPort[keys.Count];
        for (int i = 0; i < listeners.Length; i++)
        {
            if (TryRemove(keys[i], out MappedPort? listener))
            {
                listeners[i] = listener;
                continue;
            }

            foreach (MappedPort removed in listeners.AsSpan(0, i))
                Add(removed);

            throw new RelayException(RelayErrorCode.NotFound, $"{keys[i]} is not mapped", i);
        }

        return listeners;
    }

    /// <summary>Closes listeners that were taken out; calls back when their ports are free.</summary>
    public static void Close(MappedPort[] listeners, Action closed)
    {
        int left = listeners.Length;
        if (left == 0)
            closed();

        foreach (MappedPort listener in listeners)
        {
            listener.Close(() =>
            {
                if (--left == 0)
                    closed();
            });
        }
    }

    /// <summary>What remains to be done for listeners that are closed.</summary>
    public void NoteUnmapped(MappedPort[] listeners)
    {
        foreach (MappedPort listener in listeners)
        {
            Log.Unmapped(listener.Mapping);
            Events.Raise(new UnmappedEvent(listener.Mapping, listener.Auto));
            NoteUnmapped(listener);
        }

        Loop.Garbage.Add(listeners.Length);
    }

    /// <summary>Takes out the mapping of a listener that the system has ended.</summary>
    public void Forget(MappedPort listener)
    {
        PortMappingKey key = listener.Mapping.Key;
        if (_listeners.TryGetValue(key, out MappedPort? inForce) && inForce == listener)
        {
            _ = TryRemove(key, out _);
            Events.Raise(new UnmappedEvent(listener.Mapping, listener.Auto));
            NoteUnmapped(listener);
        }
    }

    /// <summary>The last connection of a listener has ended.</summary>
    public void OnEmptied(MappedPort listener) => _unmapped.Remove(listener);

    /// <summary>
    /// Takes every mapping out, closes its listener, and then gives <paramref name="closed"/> those that have connections still, also of mappings that were
    /// unmapped before.
    /// </summary>
    public void UnmapAll(Action<MappedPort[]> closed)
    {
        MappedPort[] listeners = [.. _listeners.Values];
        _listeners.Clear();
        _sorted.Clear();
        Close(listeners, () =>
        {
            NoteUnmapped(listeners);
            closed([.. _unmapped]);
        });
    }

    private void NoteUnmapped(MappedPort listener)
    {
        if (listener.ActiveCount > 0)
            _ = _unmapped.Add(listener);
    }

    private void Add(MappedPort port)
    {
        _listeners.Add(port.Mapping.Key, port);
        _sorted.Insert(~_sorted.BinarySearch(port, Order), port);
    }

    private bool TryRemove(PortMappingKey key, [NotNullWhen(true)] out MappedPort? port)
    {
        if (!_listeners.Remove(key, out port))
            return false;

        _sorted.RemoveAt(_sorted.BinarySearch(port, Order));
        return true;
    }

    private static int Compare(PortMapping one, PortMapping other)
    {
        int order = one.Family.CompareTo(other.Family);
        if (order == 0 && !one.Address.Equals(other.Address))
        {
            order = one.Address.GetAddressBytes().AsSpan().SequenceCompareTo(other.Address.GetAddressBytes());
            order = order != 0 ? order : one.Address.ScopeId.CompareTo(other.Address.ScopeId);
        }

        return order != 0 ? order : (one.HostPort, (int)one.Protocol).CompareTo((other.HostPort, (int)other.Protocol));
    }
}
