using System.Buffers;
using System.Globalization;
using System.Threading.Channels;
using MessagePack;
using RelayProtocol.Rpc;

namespace RelayProtocol;

/// <summary>
/// The parent's end of the control channel: a loop that reads answers, a loop that writes requests, and the pending calls. Members are
/// safe for any thread; no lock is held while anything waits or while a caller's code runs.
/// </summary>
internal sealed class RelayChannel : IAsyncDisposable
{
    // The largest answer, in bytes. A list that would be longer is refused by the relay.
    internal const int MaxAnswerSize = 16 * 1024 * 1024;

    // Requests that wait are written together up to this size, in bytes.
    private const int MaxBatch = 64 * 1024;

    // How long a broken channel waits for the exit code, which its failure names.
    private static readonly TimeSpan ExitCodeTimeout = TimeSpan.FromSeconds(1);

    private readonly Stream _output;
    private readonly Stream _input;
    private readonly Task<int?>? _exited;
    private readonly Action<RelayError> _errorNotified;
    private readonly Task _loops;
    private readonly Channel<byte[]> _requests = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, PendingCall> _pending = [];
    private readonly List<EventQueue> _eventQueues = [];
    private Func<Exception>? _failure; // makes each call's exception, once the channel has ended
    private RelayError? _lastError;
    private uint _lastId;

    /// <summary>Starts the loops. An <c>error</c> notification is given to <paramref name="errorNotified"/>, on the thread pool.</summary>
    internal RelayChannel(Stream output, Stream input, Task<int?>? exited, Action<RelayError> errorNotified)
    {
        _output = output;
        _input = input;
        _exited = exited;
        _errorNotified = errorNotified;
        _loops = Task.WhenAll(Task.Run(ReadAsync), Task.Run(WriteAsync), Task.Run(WatchExitAsync));
    }

    internal Task Ended => _ended.Task;

    /// <summary>An id for the next request: from 1, wrapping after 2^32.</summary>
    internal uint NextId() => Interlocked.Increment(ref _lastId);

    internal async Task<T> CallAsync<T>(uint id, byte[] request, WireFormat.Reader<T> read, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new PendingCall(read);
        lock (_gate)
        {
            if (_failure is not null)
                throw _failure();
            _pending.Add(id, call);
        }
        if (!_requests.Writer.TryWrite(request))
        {
            Remove(id);
            throw new InvalidOperationException("the relay's input has been closed: no more requests can be made");
        }
        using (cancellationToken.UnsafeRegister((_, token) => Remove(id)?.TrySetCanceled(token), null))
        {
            return (T)await call.Task.ConfigureAwait(false);
        }
    }

    /// <summary>From now on events are put there too, until <see cref="Remove(EventQueue)"/>.</summary>
    internal void Add(EventQueue queue)
    {
        lock (_gate)
        {
            if (_failure is not null)
                throw _failure();
            _eventQueues.Add(queue);
        }
    }

    internal void Remove(EventQueue queue)
    {
        lock (_gate)
        {
            _eventQueues.Remove(queue);
        }
    }

    internal void CloseInput() => _requests.Writer.TryComplete();

    public async ValueTask DisposeAsync()
    {
        End(() => new ObjectDisposedException(nameof(RelayClient)));
        // Both loops end by the cancelled token; a stream that knows no cancellation, by being closed under it.
        await Task.WhenAny(_loops, Task.Delay(ExitCodeTimeout)).ConfigureAwait(false);
        await _output.DisposeAsync().ConfigureAwait(false);
        try
        {
            await _input.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // What a stream had buffered for a relay that is gone is lost, as it must be.
        }
        _stop.Dispose();
    }

    private async Task ReadAsync()
    {
        var reader = new RpcReader(MaxAnswerSize);
        byte[] buffer = new byte[16 * 1024];
        try
        {
            int count;
            while ((count = await _output.ReadAsync(buffer, _stop.Token).ConfigureAwait(false)) > 0)
            {
                reader.Append(buffer.AsSpan(0, count));
                while (reader.TryRead(out ReadOnlyMemory<byte> message))
                    Handle(RpcEnvelope.Parse(message));
            }
            string where = reader.BufferedBytes > 0 ? " in the middle of a message" : "";
            await EndAsync($"the relay has closed its output{where}", null).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is RpcFormatException or RelayException or MessagePackSerializationException
            or EndOfStreamException or OverflowException)
        {
            await EndAsync($"the relay has sent what is not the protocol ({broken.Message})", broken).ConfigureAwait(false);
        }
        catch (Exception broken)
        {
            await EndAsync($"the relay's output cannot be read ({broken.Message})", broken).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync()
    {
        var batch = new ArrayBufferWriter<byte>();
        try
        {
            while (await _requests.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
            {
                while (batch.WrittenCount < MaxBatch && _requests.Reader.TryRead(out byte[]? request))
                    batch.Write(request);
                await _input.WriteAsync(batch.WrittenMemory, _stop.Token).ConfigureAwait(false);
                await _input.FlushAsync(_stop.Token).ConfigureAwait(false);
                batch.ResetWrittenCount();
            }
            await _input.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception broken)
        {
            await EndAsync($"the relay no longer reads its input ({broken.Message})", broken).ConfigureAwait(false);
        }
    }

    // The relay's end ends the channel even if another process has its output open and keeps the end of file away.
    private async Task WatchExitAsync()
    {
        if (_exited is null)
            return;
        await Task.WhenAny(_exited, Ended).ConfigureAwait(false);
        await Task.WhenAny(Task.Delay(ExitCodeTimeout), Ended).ConfigureAwait(false);
        await EndAsync("the relay has ended", null).ConfigureAwait(false);
    }

    private void Handle(RpcEnvelope message)
    {
        switch (message.Kind)
        {
            case RpcKind.Response when Remove(message.MsgId) is { } call:
                Answer(call, message);
                break;
            case RpcKind.Response:
                break; // to a cancelled call
            case RpcKind.Notification when message.Method == "error":
                OnErrorNotification(message.Params);
                break;
            case RpcKind.Notification when message.Method == "event":
                OnEvent(message.Params);
                break;
            case RpcKind.Invalid:
                throw new RelayException(RelayErrorCode.InvalidParams, message.Problem);
            default:
                break; // of a later version of the protocol
        }
    }

    private static void Answer(PendingCall call, RpcEnvelope message)
    {
        try
        {
            var reader = new MessagePackReader(message.Error.IsEmpty ? message.Result : message.Error);
            if (message.Error.IsEmpty)
                call.TrySetResult(call.Read(ref reader));
            else
                call.TrySetException(new RelayException(WireFormat.ReadError(ref reader)));
        }
        catch (Exception broken)
        {
            // It is no longer among the pending calls, so the channel's end would miss it.
            call.TrySetException(new RelayDisconnectedException($"the relay has sent what is not the protocol ({broken.Message})", null, broken));
            throw;
        }
    }

    private void OnErrorNotification(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        if (reader.ReadArrayHeader() > 0)
        {
            RelayError error = WireFormat.ReadError(ref reader);
            _lastError = error;
            ThreadPool.QueueUserWorkItem(_ => _errorNotified(error));
        }
    }

    private void OnEvent(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        if (reader.ReadArrayHeader() == 0 || EventFormat.Read(ref reader) is not { } item)
            return;
        lock (_gate)
        {
            _eventQueues.ForEach(queue => queue.Add(item));
        }
    }

    private PendingCall? Remove(uint id)
    {
        lock (_gate)
        {
            return _pending.Remove(id, out PendingCall? call) ? call : null;
        }
    }

    private async Task EndAsync(string reason, Exception? cause)
    {
        if (_exited is not null)
            await Task.WhenAny(_exited, Task.Delay(ExitCodeTimeout), Ended).ConfigureAwait(false);
        int? exitCode = _exited is { IsCompletedSuccessfully: true } ? await _exited.ConfigureAwait(false) : null;
        string lastError = _lastError is { } error ? $" Its last error: {error}." : "";
        string message = $"{reason}; {DescribeExit(exitCode)}.{lastError}";
        End(() => new RelayDisconnectedException(message, exitCode, cause));
    }

    private static string DescribeExit(int? exitCode) => exitCode switch
    {
        null => "its mappings are gone or going: start a new relay and map again",
        0 => "it was asked to end (exit code 0): start a new relay to map again",
        2 => "it refused its command line (exit code 2): its standard error names the argument",
        3 => "it found the protocol stream broken (exit code 3): only a RelayClient may write to its input",
        < 0 => string.Create(
            CultureInfo.InvariantCulture, $"it was ended by signal or fault {-(long)exitCode} (exit code {exitCode}): start a new relay and map again"),
        _ => string.Create(
            CultureInfo.InvariantCulture, $"it failed (exit code {exitCode}): its standard error says why; start a new relay and map again"),
    };

    private void End(Func<Exception> failure)
    {
        PendingCall[] calls;
        lock (_gate)
        {
            if (_failure is not null)
                return;
            _failure = failure;
            calls = [.. _pending.Values];
            _pending.Clear();
            _eventQueues.ForEach(queue => queue.End(failure()));
        }
        _ = _stop.CancelAsync();
        foreach (PendingCall call in calls)
            call.TrySetException(failure());
        _ended.TrySetResult();
    }

    // A request that waits for its answer. Its continuations run elsewhere: the thread that reads answers must not run its callers' code.
    private sealed class PendingCall(WireFormat.Reader<object> read)
        : TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        internal WireFormat.Reader<object> Read => read;
    }
}
