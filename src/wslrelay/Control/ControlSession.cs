using System.Buffers;
using System.Reflection;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Control;

internal enum SessionEnd
{
    EndOfFile,

    /// <summary>The parent sent bytes that are not the control protocol.</summary>
    BrokenStream,
}

/// <summary>The control channel: carries out the parent's requests in order, and answers them. Loop thread only.</summary>
internal sealed class ControlSession
{
    // The semantic version, without build metadata.
    private static readonly string Version =
        typeof(ControlSession).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    // An answer does not wait for more events than that.
    private const int MaxEventBytes = 16 * 1024;

    // Items of a long answer that are made in one turn of the loop.
    private const int SliceSize = 16;

    // A long answer is written in pieces of that size, and goes on while no more than two are unread.
    private const int PieceSize = 24 * 1024;

    // No further request is carried out while so many bytes of answers are unread.
    private const int MaxBacklog = 256 * 1024;

    // Requests are read while earlier ones wait, so that the end of file is seen however many answers are unread. RpcReader refuses more.
    private const int MaxReadAhead = MessageScanner.DefaultMaxSize;

    // If more than that waits, the end of file is seen only where the system reports it before what precedes it is read.
    private const int EndPollMilliseconds = 200;

    // At the end of file, requests that still wait are carried out if the parent reads its answers within this time, and dropped otherwise.
    private const int EndMilliseconds = 200;

    // Requests behind an auto wait so long for the agent's first report, so that answers keep their order; longer only if it takes no more.
    private const int MaxAutoMilliseconds = 1000;

    private readonly PortTable _table;
    private readonly AutoMapper _auto;
    private readonly ActionTimer _autoWait;
    private readonly RelayLog _log;
    private readonly RpcReader _reader = new();
    private readonly ControlInput _input;
    private readonly ControlOutput _output;
    private readonly Action<SessionEnd> _ended;
    private readonly ActionTimer _endTimer;
    private readonly ActionTimer _endPoll;
    private readonly HashSet<UnmapRequest> _draining = [];

    // Goes on with a long answer that waits until more has been read; null while none does.
    private Action? _waitingAnswer;
    private bool _advancing;
    private bool _busy;
    private bool _reading;
    private bool _inputEnded;
    private bool _over;
    private bool _finishing;

    /// <summary>Opens the standard streams. <paramref name="ended"/> is called once, at end of file or when the stream is broken.</summary>
    public ControlSession(PortTable table, RelayLog log, Action<SessionEnd> ended)
    {
        _table = table;
        _auto = new AutoMapper(table);
        _log = log;
        _ended = ended;
        _output = new ControlOutput(table.Loop);
        _output.Progress = () =>
        {
            Action? goOn = _waitingAnswer;
            _waitingAnswer = null;
            goOn?.Invoke();
            Advance();
            Sent?.Invoke();
        };
        _output.Refill = WriteEvents;
        _input = new ControlInput(table.Loop, Received);
        _endTimer = new ActionTimer(() => End(SessionEnd.EndOfFile));
        _endPoll = new ActionTimer(PollForEnd);
        _autoWait = new ActionTimer(() =>
        {
            _busy = false;
            Advance();
        });
    }

    /// <summary>Answers that are not written yet, or still to come.</summary>
    public bool HasUnsentAnswers => _output.Backlog > 0 || _draining.Count > 0 || (_busy && _finishing);

    /// <summary>Called when answers have been written.</summary>
    public Action? Sent { get; set; }

    public void Start() => Advance();

    /// <summary>Carries out no further request.</summary>
    public void Close()
    {
        _over = true;
        _auto.Stop();
    }

    /// <summary>Ends the drains of unmap requests: they are answered when their connections have been reset.</summary>
    public void EndDrains()
    {
        _finishing = true;
        foreach (UnmapRequest request in _draining)
            request.EndDrains();
    }

    private void Received(ReadOnlyMemory<byte> bytes)
    {
        if (_over)
            return;

        if (bytes.IsEmpty)
            _inputEnded = true;
        else
            _reader.Append(bytes.Span);

        _reading = false;
        Advance();
    }

    // Stops at a request that has to wait, or when too many answers are unread; goes on reading.
    private void Advance()
    {
        _advancing = true;
        try
        {
            bool handledAll = false;
            while (!_over && !_busy && !handledAll && _output.Backlog < MaxBacklog)
            {
                handledAll = !_reader.TryRead(out ReadOnlyMemory<byte> message);
                if (!handledAll)
                    Handle(RpcEnvelope.Parse(message));
            }

            if (!_over)
                ReadOn(handledAll);
        }
        catch (RpcFormatException e)
        {
            _log.BrokenStream(e.Message);
            NotifyError(new RelayError(RelayErrorCode.InvalidParams, e.Message));
            End(SessionEnd.BrokenStream);
        }

        _advancing = false;
        _output.Flush();
    }

    private void ReadOn(bool handledAll)
    {
        if (_inputEnded && handledAll)
        {
            _reader.Complete();
            End(SessionEnd.EndOfFile);
        }
        else if (_inputEnded)
        {
            StartTimer(_endTimer, EndMilliseconds);
        }
        else if (!_reading && (handledAll || _reader.BufferedBytes < MaxReadAhead))
        {
            _reading = true;
            _input.Next();
        }
        else if (!_reading)
        {
            StartTimer(_endPoll, EndPollMilliseconds);
        }
    }

    private void StartTimer(ActionTimer timer, int milliseconds)
    {
        if (timer.Index < 0)
            _table.Loop.Timers.Start(timer, milliseconds);
    }

    private void PollForEnd()
    {
        if (!_reading && _input.HasEnded)
            StartTimer(_endTimer, EndMilliseconds);

        Advance();
    }

    private void End(SessionEnd end)
    {
        if (!_over)
        {
            _over = true;
            _ended(end);
        }
    }

    private void Handle(RpcEnvelope message)
    {
        if (message.Kind == RpcKind.Request)
            Dispatch(message);
        else if (message.Kind == RpcKind.Invalid)
            NotifyError(new RelayError(RelayErrorCode.InvalidParams, message.Problem));

        // Notifications and responses need no answer, and this version knows none.
    }

    private void Dispatch(RpcEnvelope request)
    {
        if (!TryCarryOut(request.MsgId, request.Method, () => CarryOut(request)))
            _busy = false;
    }

    // All that is done for a request, at once or later, is done in here: whatever is thrown, the request is answered and the session goes on.
    private bool TryCarryOut(uint id, string method, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (RelayException e)
        {
            AnswerError(id, e.Error);
        }
        catch (Exception e)
        {
            _log.Defect(e, method);
            AnswerError(id, new RelayError(RelayErrorCode.Internal, $"{method}: {e.GetType().Name}: {e.Message}"));
        }

        return false;
    }

    private void CarryOut(RpcEnvelope request)
    {
        switch (request.Method)
        {
            case "hello":
                WireFormat.CheckHelloParams(request.Params);
                Hello(request.MsgId);
                break;
            case "map":
                PortMapping[] mapped = _table.Map(WireFormat.ReadMapParams(request.Params));
                AnswerArray(request.MsgId, mapped, WireFormat.WriteMapping);
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

    private void Hello(uint id)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.BeginResult(ref writer, id);
        WireFormat.WriteHello(ref writer, new RelayHello(
            "wslrelay", Version, WireFormat.ProtocolVersion, Environment.ProcessId, _table.Target.Target.ToString(), ["tcp", "udp", "guestFamily", "proxy", "connections", "subscribe", "auto"]));
        writer.Flush();
    }

    private void Subscribe(uint id, IReadOnlyList<string> names)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.BeginResult(ref writer, id);
        EventFormat.WriteSubscription(ref writer, names);
        writer.Flush();
        _table.Events.Subscribe(names, OnEvent);
    }

    // Behind the answer to the request that it comes from, where it comes within one.
    private void OnEvent()
    {
        if (!_advancing)
            _output.Flush();
    }

    private void WriteEvents()
    {
        _table.Events.BeginPiece();
        MessagePackWriter writer = new(_output.Writer);
        while (_output.Backlog < MaxEventBytes && _table.Events.TryTake(out RelayEvent? item))
        {
            RpcWriter.BeginNotification(ref writer, "event", 1);
            EventFormat.Write(ref writer, item!);
            writer.Flush();
        }
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
            _busy = true;
            StartTimer(_autoWait, MaxAutoMilliseconds);
        }

        void Answered(AutoMapResult result, RelayError? error)
        {
            isAnswered = true;
            if (error is null)
                Answer(id, result);
            else
                AnswerError(id, error);

            if (_autoWait.Index >= 0)
                _table.Loop.Timers.Start(_autoWait, 0);
            else
                _output.Flush();
        }
    }

    // The next request waits until the ports are free again, not until the drain has ended.
    private void Unmap(uint id, IReadOnlyList<UnmapItem> items)
    {
        MappedPort[] listeners = _table.Remove([.. items.Select(item => item.Key)]);
        _busy = true;
        PortTable.Close(listeners, () =>
        {
            _busy = false;
            _ = TryCarryOut(id, "unmap", () =>
            {
                _table.NoteUnmapped(listeners);
                Drain(id, items, listeners);
            });
            Advance();
        });
    }

    private void Drain(uint id, IReadOnlyList<UnmapItem> items, MappedPort[] listeners)
    {
        UnmapRequest request = new(items, listeners, completed =>
        {
            _draining.Remove(completed);
            _ = TryCarryOut(id, "unmap", () => AnswerArray(id, completed.Results, WireFormat.WriteUnmapResult));
            _output.Flush();
        });
        request.Start();
        if (!request.IsCompleted)
        {
            _draining.Add(request);
            if (_finishing)
                request.EndDrains();
        }
    }

    // The rest of a request, where it had to ask other loops; the next request waits meanwhile. At once where there are none.
    private void GoOn(RpcEnvelope request, Action answer)
    {
        if (TryCarryOut(request.MsgId, request.Method, answer))
            return;

        _busy = false;
        if (!_advancing)
            Advance();
    }

    private void Connections(RpcEnvelope request)
    {
        (int limit, PortMappingKey[] keys, int first) = ConnectionFormat.ReadParams(request.Params);
        _busy = true;
        _table.FindConnections(keys, first, Math.Min(limit, RelayChannel.MaxAnswerSize / ConnectionFormat.MaxItemSize), query => GoOn(
            request, () => AnswerInSlices(request.MsgId, request.Method, query.Count, isBounded: true, query.Describe, ConnectionFormat.Write)));
    }

    // What other loops have done is counted once each has ended its turn.
    private void List(RpcEnvelope request)
    {
        IReadOnlyList<MappedPort> ports = _table.List();
        _busy = true;
        _table.AskLoops(static (_, told) => told(), () => GoOn(request, () => List(request.MsgId, ports)));
    }

    private void List(uint id, IReadOnlyList<MappedPort> ports)
    {
        // For what failures said, which may be of any length.
        int spare = RelayChannel.MaxAnswerSize - (ports.Count * WireFormat.MaxStatusSize);
        AnswerInSlices(id, "list", ports.Count, isBounded: spare >= 0, i => ports[i].Refresh() ? Shorten(ports[i].Status) : null, WireFormat.WriteStatus);

        PortMappingStatus Shorten(PortMappingStatus status)
        {
            spare -= WireFormat.MaxTextSize(status.LastError);
            return spare >= 0 ? status : status with { LastError = null };
        }
    }

    // Of what there may be thousands. It is made a little in each turn of the loop, so that connections need not wait for it, and written as it is made; the next request
    // waits. One that might come out too long is made whole first. Where an item is not found yet, it is asked for again in the next turn.
    private void AnswerInSlices<T>(uint id, string method, int count, bool isBounded, Func<int, T?> find, WireFormat.Writer<T> write)
        where T : class
    {
        ArrayBufferWriter<byte>? whole = isBounded ? null : new();
        int made = 0;
        _busy = true;
        if (isBounded)
        {
            BeginArray(id, count);
            _output.BeginLong();
        }

        Run();

        void Run()
        {
            try
            {
                MessagePackWriter writer = new(whole ?? _output.LongWriter);
                for (int end = Math.Min(made + SliceSize, count); made < end && find(made) is { } item; made++)
                    write(ref writer, item);

                writer.Flush();
            }
            catch (Exception e)
            {
                // Nothing can follow half of an answer.
                _log.Defect(e, method);
                End(SessionEnd.BrokenStream);
                return;
            }

            if (made < count)
            {
                if (_output.Backlog >= PieceSize)
                    _output.Flush();

                if (_output.Backlog > 2 * PieceSize)
                    _waitingAnswer = Run;
                else
                    _table.Loop.Post(Run);

                return;
            }

            if (whole is null)
                _output.EndLong();
            else
                _ = TryCarryOut(id, method, () => AnswerArray(id, count, whole));

            _busy = false;
            if (!_advancing)
                Advance();
        }
    }

    // Written beside the output: what fails half-way, or comes out too long, leaves no part of an answer there.
    private void AnswerArray<T>(uint id, T[] items, WireFormat.Writer<T> write)
    {
        ArrayBufferWriter<byte> written = new();
        MessagePackWriter writer = new(written);
        foreach (T item in items)
            write(ref writer, item);

        writer.Flush();
        AnswerArray(id, items.Length, written);
    }

    private void AnswerArray(uint id, int count, ArrayBufferWriter<byte> items)
    {
        const int MaxHead = 16;
        if (items.WrittenCount > RelayChannel.MaxAnswerSize - MaxHead)
            throw new RelayException(RelayErrorCode.NotSupported, $"the answer would have {items.WrittenCount} bytes; one has at most {RelayChannel.MaxAnswerSize}");

        BeginArray(id, count);
        _output.Writer.Write(items.WrittenSpan);
    }

    private void BeginArray(uint id, int count)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.BeginResult(ref writer, id);
        writer.WriteArrayHeader(count);
        writer.Flush();
    }

    private void Answer(uint id, AutoMapResult result)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.BeginResult(ref writer, id);
        AutoFormat.WriteResult(ref writer, result);
        writer.Flush();
    }

    private void AnswerError(uint id, RelayError error)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.WriteError(ref writer, id, error);
        writer.Flush();
    }

    private void NotifyError(RelayError error)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.BeginNotification(ref writer, "error", 1);
        WireFormat.WriteError(ref writer, error);
        writer.Flush();
    }
}
