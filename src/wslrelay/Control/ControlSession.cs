using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Diagnostics;
using Wslrelay.Relaying;

namespace Wslrelay.Control;

/// <summary>The control channel: carries out the parent's requests in order, and answers them. Loop thread only.</summary>
internal sealed class ControlSession : IControlReader
{
    // No further request is carried out while so many bytes of answers are unread.
    private const int MaxBacklog = 256 * 1024;

    private readonly PortTable _table;
    private readonly RelayLog _log;
    private readonly RpcReader _reader = new();
    private readonly ControlInput _input;
    private readonly ControlOutput _output;
    private readonly Action<SessionEnd> _ended;
    private bool _busy;
    private bool _reading;
    private bool _inputEnded;
    private bool _over;

    private delegate void WriteItem<T>(ref MessagePackWriter writer, T item);

    /// <summary>Opens the standard streams. <paramref name="ended"/> is called once, at end of file or when the stream is broken.</summary>
    public ControlSession(PortTable table, RelayLog log, Action<SessionEnd> ended)
    {
        _table = table;
        _log = log;
        _ended = ended;
        _output = ControlOutput.OpenStandardOutput(table.Loop);
        _output.Progress = () =>
        {
            Advance();
            Sent?.Invoke();
        };
        _input = ControlInput.OpenStandardInput(table.Loop, this);
    }

    public bool HasUnsentAnswers => _output.Backlog > 0;

    /// <summary>Called when answers have been written.</summary>
    public Action? Sent { get; set; }

    public void Start() => Advance();

    /// <summary>Carries out no further request.</summary>
    public void Close() => _over = true;

    public void Received(ReadOnlySpan<byte> bytes)
    {
        if (_over)
        {
            return;
        }

        if (bytes.IsEmpty)
        {
            _inputEnded = true;
        }
        else
        {
            _reader.Append(bytes);
        }

        _reading = false;
        Advance();
    }

    // Stops at a request that has to wait, or when too many answers are unread.
    private void Advance()
    {
        try
        {
            while (!_over && !_busy && _output.Backlog < MaxBacklog)
            {
                if (_reader.TryRead(out ReadOnlyMemory<byte> message))
                {
                    Handle(RpcEnvelope.Parse(message));
                    continue;
                }

                if (_inputEnded)
                {
                    _reader.Complete();
                    End(SessionEnd.EndOfFile);
                }
                else if (!_reading)
                {
                    _reading = true;
                    _input.Next();
                }

                break;
            }
        }
        catch (RpcFormatException e)
        {
            _log.BrokenStream(e.Message);
            NotifyError(new RelayError(RelayErrorCode.InvalidParams, e.Message));
            End(SessionEnd.BrokenStream);
        }

        _output.Flush();
    }

    private void End(SessionEnd end)
    {
        _over = true;
        _ended(end);
    }

    private void Handle(RpcEnvelope message)
    {
        switch (message.Kind)
        {
            case RpcKind.Request:
                Dispatch(message);
                break;
            case RpcKind.Invalid:
                NotifyError(new RelayError(RelayErrorCode.InvalidParams, message.Problem));
                break;
            default:
                // Notifications and responses need no answer, and this version knows none.
                break;
        }
    }

    private void Dispatch(RpcEnvelope request)
    {
        try
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
                    AnswerArray(request.MsgId, _table.List(), WireFormat.WriteStatus);
                    break;
                default:
                    throw new RelayException(RelayErrorCode.MethodNotFound, $"there is no method '{request.Method}'; hello, map, unmap and list are known");
            }
        }
        catch (RelayException e)
        {
            AnswerError(request.MsgId, e.Error);
        }
        catch (Exception e)
        {
            _log.Defect(e, request.Method);
            AnswerError(request.MsgId, new RelayError(RelayErrorCode.Internal, $"{request.Method}: {e.GetType().Name}: {e.Message}"));
        }
    }

    private void Hello(uint id)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.BeginResult(ref writer, id);
        WireFormat.WriteHello(ref writer, new RelayHello(
            "wslrelay", ProgramVersion.Text, ProtocolVersion.Current, Environment.ProcessId, _table.Target.Target.ToString(), ["tcp"]));
        writer.Flush();
    }

    // The next request waits until the ports are free again, not until the drain has ended.
    private void Unmap(uint id, IReadOnlyList<UnmapItem> items)
    {
        PortMappingKey[] keys = new PortMappingKey[items.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = items[i].Key;
        }

        _busy = true;
        try
        {
            _table.Unmap(keys, listeners =>
            {
                _busy = false;
                new UnmapRequest(id, items, listeners, AnswerUnmap).Start();
                Advance();
            });
        }
        catch (RelayException)
        {
            _busy = false;
            throw;
        }
    }

    private void AnswerUnmap(uint id, UnmapResult[] results)
    {
        AnswerArray(id, results, WireFormat.WriteUnmapResult);
        _output.Flush();
    }

    private void AnswerArray<T>(uint id, T[] items, WriteItem<T> write)
    {
        MessagePackWriter writer = new(_output.Writer);
        RpcWriter.BeginResult(ref writer, id);
        writer.WriteArrayHeader(items.Length);
        foreach (T item in items)
        {
            write(ref writer, item);
        }

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
