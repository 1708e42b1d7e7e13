using System.Net;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Automatic mappings (protocol, section 8): what listens in the guest is mapped to the same number on host loopback, for as long as it does. Loop thread only.
/// </summary>
internal sealed class AutoMapper
{
    private const int RetryMilliseconds = 5000;

    private readonly PortTable _table;
    private readonly AgentWatch _watch;
    private readonly ActionTimer _retry;

    private readonly List<Action<AutoMapResult, RelayError?>> _unanswered = [];
    private Dictionary<PortMappingKey, Candidate> _candidates = [];
    private AutoSelection? _selection;
    private IReadOnlyList<GuestListener>? _reported;
    private bool _sharesNetwork;
    private bool? _isUp;

    public AutoMapper(PortTable table)
    {
        _table = table;
        _watch = new AgentWatch(table, this);
        _retry = new ActionTimer(() => Apply(isRetry: true));
    }

    private AutoMapResult Result => new(
        [.. _candidates.Keys.Where(key => _candidates[key].Port is { Auto: true }).Select(MappingOf)],
        [.. _candidates.Keys.Where(key => _candidates[key].Error is not null).Select(key => new AutoMapFailure(MappingOf(key), _candidates[key].Error!))]);

    /// <summary>Who listens at a port of the guest, as far as it is known.</summary>
    public string? ProgramOf(PortMappingKey key) => _candidates.GetValueOrDefault(key)?.Program;

    /// <summary>Maps what is selected from now on, in place of what was selected before.</summary>
    /// <param name="selection">Which ports.</param>
    /// <param name="answered">Called once: when the agent's first report has been dealt with, or with an error if it does not give one.</param>
    /// <exception cref="RelayException">NotSupported: the target has no agent that could tell.</exception>
    public void Begin(AutoSelection selection, Action<AutoMapResult, RelayError?> answered)
    {
        if (!_table.Preamble.ExpectsAnswer)
            throw new RelayException(RelayErrorCode.NotSupported, $"{_table.Target.Target} has no agent of wslrelay that tells what listens in the guest; start wslrelay guest there, and name it by --target");

        _unanswered.Add(answered);
        if (_selection?.Udp != selection.Udp)
            _reported = null;

        _selection = selection;
        _watch.Start(selection.Udp);
        if (_reported is not null)
            Apply();
    }

    /// <summary>Ends it and unmaps what it had mapped; calls back when those ports are free.</summary>
    public void End(Action ended)
    {
        Stop();
        (_selection, _reported, _isUp) = (null, null, null);
        Apply(ended: ended);
    }

    /// <summary>Ends it; the mappings stay.</summary>
    public void Stop()
    {
        _watch.Stop();
        _table.Loop.Timers.Stop(_retry);
    }

    public void AgentUp() => SetState(isUp: true);

    /// <summary>The agent cannot be reached, is gone, or breaks the protocol; it is tried again. <paramref name="isAnswer"/>: it says so itself.</summary>
    public void AgentDown(RelayError error, bool isAnswer)
    {
        if (isAnswer && _reported is null && error.Kind is RelayErrorCode.InvalidParams or RelayErrorCode.NotSupported)
        {
            // An agent of an earlier version, or a guest that does not let it.
            Stop();
            _selection = null;
            Answer(new RelayError(RelayErrorCode.NotSupported, $"the agent does not tell what listens in the guest: {error.Message}"));
        }
        else if (_isUp != false)
        {
            _table.Log.AgentDown(_table.Target.Target, error.Name, error.Message);
            SetState(isUp: false, error);
        }
    }

    /// <summary>A report, at most one every 250 ms. <paramref name="sharesNetwork"/>: the guest's listeners are this machine's own.</summary>
    public void Reported(IReadOnlyList<GuestListener> listeners, bool sharesNetwork)
    {
        (_reported, _sharesNetwork) = (listeners, sharesNetwork);
        Apply();
    }

    private static PortMapping MappingOf(PortMappingKey key) => new(key.Address, key.HostPort, key.HostPort, key.Protocol);

    private void SetState(bool isUp, RelayError? error = null)
    {
        if (isUp)
            _table.Log.AgentUp(_table.Target.Target);

        _isUp = isUp;
        _table.Events.Raise(new AgentEvent(isUp, error));
    }

    private void Answer(RelayError? error = null)
    {
        Action<AutoMapResult, RelayError?>[] unanswered = [.. _unanswered];
        _unanswered.Clear();
        foreach (Action<AutoMapResult, RelayError?> answered in unanswered)
            answered(Result, error);
    }

    // Makes the mappings those that are wanted, as far as the host gives them.
    private void Apply(bool isRetry = false, Action? ended = null)
    {
        Dictionary<PortMappingKey, Candidate> before = _candidates;
        _candidates = [];
        foreach ((PortMappingKey key, string? program) in Wanted())
        {
            Candidate candidate = before.Remove(key, out Candidate? known) ? known : new Candidate();
            candidate.Program = program;
            if (candidate.Port is not null && candidate.Port != _table.Find(key))
            {
                candidate.Port = null;
                candidate.IsDismissed = true;
            }

            _candidates.Add(key, candidate);
        }

        MappedPort[] removed = _table.Remove([.. before.Keys.Where(key => before[key].Port is { Auto: true } port && port == _table.Find(key))]);
        foreach ((PortMappingKey key, Candidate candidate) in _candidates)
        {
            if (candidate is { Port: null, IsDismissed: false } && (isRetry || !candidate.HasFailed))
                Map(key, candidate);
        }

        if (_candidates.Values.Any(static candidate => candidate.HasFailed) && (isRetry || _retry.Index < 0))
            _table.Loop.Timers.Start(_retry, RetryMilliseconds);

        PortTable.Close(removed, () =>
        {
            _table.NoteUnmapped(removed);
            Answer();
            ended?.Invoke();
        });
    }

    private void Map(PortMappingKey key, Candidate candidate)
    {
        RelayError? known = candidate.Error;
        candidate.Error = null;
        candidate.HasFailed = true;
        if (_table.Contains(key))
            return;

        PortMapping mapping = MappingOf(key);
        try
        {
            // Its server has the number itself, or had it a moment ago: a mapping would only be one of the relay onto itself.
            if (_sharesNetwork)
                throw new RelayException(RelayErrorCode.AddressInUse, $"{mapping}: the guest shares this host's network, and its server listens there itself");

            // The search for the owner holds up the loop: once, not at each try.
            _ = _table.Map([mapping], auto: true, namesOwner: known is null, program: candidate.Program);
            candidate.Port = _table.Find(key);
            candidate.HasFailed = false;
        }
        catch (RelayException e)
        {
            candidate.Error = known?.Kind == e.Error.Kind ? known : e.Error with { Index = null };
            if (known is null)
            {
                _table.Log.AutoMapFailed(mapping, candidate.Error.Name, candidate.Error.Message);
                _table.Events.Raise(new MapFailedEvent(mapping, candidate.Error));
            }
        }
    }

    private Dictionary<PortMappingKey, string?> Wanted()
    {
        Dictionary<PortMappingKey, string?> wanted = [];
        foreach (GuestListener listener in _reported ?? [])
        {
            // On a network of both, what the relay listens on is none of the guest's.
            if (!_selection!.Contains(listener) || (_sharesNetwork && _table.Find(new PortMappingKey(listener.Address, listener.Port, listener.Protocol)) is not null))
                continue;

            bool isAny6 = IPAddress.IPv6Any.Equals(listener.Address);
            if (IPAddress.Loopback.Equals(listener.Address) || IPAddress.Any.Equals(listener.Address) || (isAny6 && !listener.IsVersion6Only))
                _ = wanted.TryAdd(new PortMappingKey(IPAddress.Loopback, listener.Port, listener.Protocol), listener.Program);

            if (isAny6 || IPAddress.IPv6Loopback.Equals(listener.Address))
                _ = wanted.TryAdd(new PortMappingKey(IPAddress.IPv6Loopback, listener.Port, listener.Protocol), listener.Program);
        }

        return wanted;
    }

    // What listens in the guest and is selected.
    private sealed class Candidate
    {
        internal string? Program { get; set; }

        /// <summary>The mapping, also where a parent has taken it over since.</summary>
        internal MappedPort? Port { get; set; }

        /// <summary>The host did not give the number: it is tried again later.</summary>
        internal bool HasFailed { get; set; }

        /// <summary>Why; null where a parent's own mapping has the number.</summary>
        internal RelayError? Error { get; set; }

        /// <summary>A parent has unmapped it: not mapped again before the guest's listener has gone and come back.</summary>
        internal bool IsDismissed { get; set; }
    }
}
