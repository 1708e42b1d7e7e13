using System.Buffers;
using System.Reflection;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Control;

/// <summary>Carries out requests, one after the other: whatever happens, each is answered. Loop thread only.</summary>
internal sealed class ControlMethods(ControlSession session, PortTable table, ControlAnswers answers, RelayLog log)
{
    // Requests behind an auto wait so long for the agent's first report, so that answers keep their order; longer only if it takes no more.
    private const int MaxAutoMilliseconds = 1000;

    // The semantic version, without build metadata.
    private static readonly string Version =
        typeof(ControlMethods).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private readonly AutoMapper _auto = new(table);
    private readonly HashSet<UnmapRequest> _draining = [];
    private bool _isEnding;

    /// <summary>A request is under way for which the next one has to wait.</summary>
    internal bool IsBusy { get; private set; }

    /// <summary>Answers are to come that the relay's end waits for.</summary>
    internal bool HasMoreToAnswer => _draining.Count > 0 || (IsBusy && _isEnding);

    private ActionTimer AutoWait => field ??= new ActionTimer(Finish);

    internal void StopAuto() => _auto.Stop();

    /// <summary>Ends the drains of unmap requests: they are answered when their connections have been reset.</summary>
    internal void EndDrains()
    {
        _isEnding = true;
        foreach (UnmapRequest request in _draining)
            request.EndDrains();
    }

    internal void CarryOut(RpcEnvelope request)
    {
        if (!Try(request.MsgId, request.Method, () => Begin(request)))
            IsBusy = false;
    }

    private void Begin(RpcEnvelope request)
    {
        switch (request.Method)
        {
            case "hello":
                WireFormat.CheckHelloParams(request.Params);
                Hello(request.MsgId);
                break;
            case "map":
                answers.AnswerArray(request.MsgId, table.Map(WireFormat.ReadMapParams(request.Params)), WireFormat.WriteMapping);
                break;
            case "unmap":
                Unmap(request.MsgId, WireFormat.ReadUnmapParams(request.Params));
                break;
            case "list":
                List(request);
                break;
            case "connections":
                Connections(request);
                break;
            case "subscribe":
                Subscribe(request.MsgId, EventFormat.ReadSubscribeParams(request.Params));
                break;
            case "auto":
                Auto(request.MsgId, AutoFormat.ReadParams(request.Params));
                break;
            default:
                throw new RelayException(
                    RelayErrorCode.MethodNotFound, $"there is no method '{request.Method}'; hello, map, unmap, list, connections, subscribe and auto are known");
        }
    }

    // All that is done for a request, at once or later, is done in here.
    private bool Try(uint id, string method, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (RelayException e)
        {
            answers.AnswerError(id, e.Error);
        }
        catch (Exception e)
        {
            log.Defect(e, method);
            answers.AnswerError(id, new RelayError(RelayErrorCode.Internal, $"{method}: {e.GetType().Name}: {e.Message}"));
        }

        return false;
    }

    // What the next request has waited for is done.
    private void Finish()
    {
        IsBusy = false;
        session.Advance();
    }

    private void Hello(uint id)
    {
        RelayHello hello = new(
            "wslrelay", Version, WireFormat.ProtocolVersion, Environment.ProcessId, table.Target.Target.ToString(), ["tcp", "udp", "guestFamily", "proxy", "connections", "subscribe", "auto"]);
        answers.Answer(id, hello, WireFormat.WriteHello);
    }

    private void Subscribe(uint id, IReadOnlyList<string> names)
    {
        answers.Answer(id, names, EventFormat.WriteSubscription);
        table.Events.Subscribe(names, session.Flush);
    }

    private void Auto(uint id, AutoSelection? selection)
    {
        bool isAnswered = false;
        if (selection is null)
            _auto.End(() => Answered(new AutoMapResult([], []), null));
        else
            _auto.Begin(selection, Answered);

        if (!isAnswered)
        {
            IsBusy = true;
            table.Loop.Timers.Start(AutoWait, MaxAutoMilliseconds);
        }

        void Answered(AutoMapResult result, RelayError? error)
        {
            isAnswered = true;
            if (error is null)
                answers.Answer(id, result, AutoFormat.WriteResult);
            else
                answers.AnswerError(id, error);

            if (AutoWait.Index >= 0)
                table.Loop.Timers.Start(AutoWait, 0);
            else
                session.Flush();
        }
    }

    // The next request waits until the ports are free again, not until the drain has ended.
    private void Unmap(uint id, IReadOnlyList<UnmapItem> items)
    {
        MappedPort[] listeners = table.Remove([.. items.Select(item => item.Key)]);
        IsBusy = true;
        PortTable.Close(listeners, () =>
        {
            _ = Try(id, "unmap", () =>
            {
                table.NoteUnmapped(listeners);
                Drain(id, items, listeners);
            });
            Finish();
        });
    }

    private void Drain(uint id, IReadOnlyList<UnmapItem> items, MappedPort[] listeners)
    {
        UnmapRequest request = new(items, listeners, completed =>
        {
            _draining.Remove(completed);
            _ = Try(id, "unmap", () => answers.AnswerArray(id, completed.Results, WireFormat.WriteUnmapResult));
            session.Flush();
        });
        request.Start();
        if (!request.IsCompleted)
        {
            _draining.Add(request);
            if (_isEnding)
                request.EndDrains();
        }
    }

    // The rest of a request, once other loops have been asked.
    private void GoOn(RpcEnvelope request, Action answer)
    {
        if (!Try(request.MsgId, request.Method, answer))
            Finish();
    }

    private void Connections(RpcEnvelope request)
    {
        (int limit, PortMappingKey[] keys, int first) = ConnectionFormat.ReadParams(request.Params);
        IsBusy = true;
        table.FindConnections(keys, first, Math.Min(limit, RelayChannel.MaxAnswerSize / ConnectionFormat.MaxItemSize), query => GoOn(
            request, () => answers.AnswerInSlices(request.MsgId, query.Count, query.Describe, ConnectionFormat.Write, aside: null, Finish)));
    }

    // What other loops have done is counted once each has ended its turn.
    private void List(RpcEnvelope request)
    {
        MappedPort[] ports = table.List();
        IsBusy = true;
        table.AskLoops(static (_, told) => told(), () => GoOn(request, () => List(request.MsgId, ports)));
    }

    private void List(uint id, MappedPort[] ports)
    {
        // For what failures said, which may be of any length.
        int spare = RelayChannel.MaxAnswerSize - (ports.Length * WireFormat.MaxStatusSize);
        ArrayBufferWriter<byte>? aside = spare < 0 ? new() : null;
        answers.AnswerInSlices(id, ports.Length, i => ports[i].Refresh() ? Shorten(ports[i].Status) : null, WireFormat.WriteStatus, aside, () =>
        {
            if (aside is not null)
                _ = Try(id, "list", () => answers.AnswerMade(id, ports.Length, aside));

            Finish();
        });

        PortMappingStatus Shorten(PortMappingStatus status)
        {
            spare -= WireFormat.MaxTextSize(status.LastError);
            return spare >= 0 ? status : status with { LastError = null };
        }
    }
}
