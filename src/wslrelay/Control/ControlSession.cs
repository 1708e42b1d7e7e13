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
    // No further request is carried out while so many bytes of answers are unread.
    private const int MaxBacklog = 256 * 1024;

    // Requests are read while earlier ones wait, so that the end of file is seen however many answers are unread. RpcReader refuses more.
    private const int MaxReadAhead = MessageScanner.DefaultMaxSize;

    // If more than that waits, the end of file is seen only where the system reports it before what precedes it is read.
    private const int EndPollMilliseconds = 200;

    // At the end of file, requests that still wait are carried out if the parent reads its answers within this time, and dropped otherwise.
    private const int EndMilliseconds = 200;

    private readonly IoLoop _loop;
    private readonly RelayLog _log;
    private readonly RpcReader _reader = new();
    private readonly ControlInput _input;
    private readonly ControlOutput _output;
    private readonly ControlAnswers _answers;
    private readonly ControlMethods _methods;
    private readonly Action<SessionEnd> _ended;
    private readonly ActionTimer _endTimer;
    private readonly ActionTimer _endPoll;
    private bool _advancing;
    private bool _reading;
    private bool _inputEnded;
    private bool _over;

    /// <summary>Opens the standard streams. <paramref name="ended"/> is called once, at end of file or when the stream is broken.</summary>
    public ControlSession(PortTable table, RelayLog log, Action<SessionEnd> ended)
    {
        _loop = table.Loop;
        _log = log;
        _ended = ended;
        _output = new ControlOutput(_loop);
        _answers = new ControlAnswers(_output, _loop, e =>
        {
            log.Defect(e, "a long answer");
            End(SessionEnd.BrokenStream);
        });
        _methods = new ControlMethods(this, table, _answers, log);
        _output.Progress = () =>
        {
            _answers.GoOn();
            Advance();
            Sent?.Invoke();
        };
        _output.FillWith(table.Events, item => _answers.Notify("event", item, EventFormat.Write));
        _input = new ControlInput(_loop, Received);
        _endTimer = new ActionTimer(() => End(SessionEnd.EndOfFile));
        _endPoll = new ActionTimer(PollForEnd);
    }

    /// <summary>Answers that are not written yet, or still to come.</summary>
    public bool HasUnsentAnswers => _output.Backlog > 0 || _methods.HasMoreToAnswer;

    /// <summary>Called when answers have been written.</summary>
    public Action? Sent { get; set; }

    public void Start() => Advance();

    /// <summary>Carries out no further request.</summary>
    public void Close()
    {
        _over = true;
        _methods.StopAuto();
    }

    /// <inheritdoc cref="ControlMethods.EndDrains"/>
    public void EndDrains() => _methods.EndDrains();

    /// <summary>Sends what has been answered, or does so once all that can be carried out now has been.</summary>
    internal void Flush()
    {
        if (!_advancing)
            _output.Flush();
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

    /// <summary>Carries out requests, up to one that the next has to wait for, or until too many answers are unread; goes on reading.</summary>
    internal void Advance()
    {
        if (_advancing)
            return;

        _advancing = true;
        try
        {
            bool handledAll = false;
            while (!_over && !_methods.IsBusy && !handledAll && _output.Backlog < MaxBacklog)
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
            NotifyError(e.Message);
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
            _loop.Timers.Start(timer, milliseconds);
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
            _methods.CarryOut(message);
        else if (message.Kind == RpcKind.Invalid)
            NotifyError(message.Problem);

        // Notifications and responses need no answer, and this version knows none.
    }

    private void NotifyError(string problem) =>
        _answers.Notify("error", new RelayError(RelayErrorCode.InvalidParams, problem), WireFormat.WriteError);
}
