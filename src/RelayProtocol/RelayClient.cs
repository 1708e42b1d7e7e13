using System.Buffers;
using System.Runtime.CompilerServices;
using MessagePack;
using RelayProtocol.Rpc;

namespace RelayProtocol;

/// <summary>
/// Asks a relay to map and unmap ports, over the relay's standard output and input. Every member is safe for any thread; many calls
/// can be under way at once, go out in the order in which they were made, and are answered by id.
/// </summary>
/// <remarks>
/// <para>A call fails with <see cref="RelayException"/> if the relay refuses it, and with <see cref="RelayDisconnectedException"/> if the
/// relay ends or breaks the channel; then every other call under way fails too, and every later one.</para>
/// <para>A cancelled call stops waiting, no more: the request may have been sent, so a mapping may come into force, or go, all the
/// same. <see cref="ListAsync"/> tells. The late answer is dropped.</para>
/// <para>Wire format: the protocol document, section 1.</para>
/// </remarks>
public sealed class RelayClient : IAsyncDisposable
{
    /// <summary>The largest request that a relay accepts, in bytes.</summary>
    public const int MaxRequestSize = MessageScanner.DefaultMaxSize;

    private static readonly string[] NoParams = [];

    private readonly RelayChannel _channel;

    /// <summary>A client of a relay that was started by other means. Owns the two streams.</summary>
    /// <param name="relayOutput">Reads the relay's standard output.</param>
    /// <param name="relayInput">Writes to the relay's standard input.</param>
    public RelayClient(Stream relayOutput, Stream relayInput)
        : this(relayOutput, relayInput, null)
    {
    }

    /// <summary>As the public one; <paramref name="exited"/> has the relay's exit code, which failures then name.</summary>
    internal RelayClient(Stream relayOutput, Stream relayInput, Task<int?>? exited)
    {
        ArgumentNullException.ThrowIfNull(relayOutput);
        ArgumentNullException.ThrowIfNull(relayInput);
        _channel = new RelayChannel(relayOutput, relayInput, exited, error => ErrorNotified?.Invoke(error));
    }

    /// <summary>
    /// The relay has sent an <c>error</c> notification: what it read was not a message, or the stream is broken and the relay ends. Raised on a thread-pool thread; a
    /// handler must not throw.
    /// </summary>
    public event Action<RelayError>? ErrorNotified;

    /// <summary>Completes when the channel has ended, for whatever reason; never fails.</summary>
    public Task Disconnected => _channel.Ended;

    /// <summary>Asks the relay for its version and what it can do; useful as a readiness check.</summary>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="RelayException">NotSupported: the relay does not speak this library's protocol version.</exception>
    public Task<RelayHello> HelloAsync(CancellationToken cancellationToken = default) =>
        CallAsync("hello", [WireFormat.ProtocolVersion], WireFormat.WriteHelloParams, "", WireFormat.ReadHello, cancellationToken);

    /// <summary>Maps one port.</summary>
    /// <param name="mapping">The mapping; with host port 0 the system chooses one.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <returns>The mapping in force, with the host port really bound.</returns>
    /// <exception cref="RelayException">
    /// AddressInUse, AccessDenied, AddressNotAvailable, AddressNotAllowed, NotSupported, TooManyOpenFiles and others; see
    /// <see cref="RelayErrorCode"/>.
    /// </exception>
    public async Task<PortMapping> MapAsync(PortMapping mapping, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        return (await MapAsync([mapping], cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>Maps several ports, all or none.</summary>
    /// <param name="mappings">The mappings, at least one, and no more than fit a request: about a thousand.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <returns>The mappings in force, in the same order, with the host ports really bound.</returns>
    /// <exception cref="ArgumentException">There are none, or too many for a request; the message says how many would fit.</exception>
    /// <exception cref="RelayException">As for one; <see cref="RelayError.Index"/> tells which mapping failed. None is in force.</exception>
    public Task<IReadOnlyList<PortMapping>> MapAsync(IReadOnlyList<PortMapping> mappings, CancellationToken cancellationToken = default)
    {
        ThrowIfEmpty(mappings, nameof(mappings));
        return CallForArrayAsync("map", mappings, WireFormat.WriteMapItem, nameof(mappings), WireFormat.ReadMapping, mappings.Count, cancellationToken);
    }

    /// <summary>Removes one mapping. When the call returns, its host port is free.</summary>
    /// <param name="key">Which: <see cref="PortMapping.Key"/> of what <c>MapAsync</c> returned.</param>
    /// <param name="drain">
    /// Null: established connections live on until they end by themselves. Else the relay waits so long for them, 0 to 1 hour, resets
    /// the rest, and answers after that.
    /// </param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <returns>What became of the mapping's connections.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The drain is out of range.</exception>
    /// <exception cref="RelayException">NotFound: there is no such mapping.</exception>
    public async Task<UnmapResult> UnmapAsync(PortMappingKey key, TimeSpan? drain = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return (await UnmapAsync([key], drain, cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>Removes several mappings, all or none.</summary>
    /// <param name="keys">The keys, at least one.</param>
    /// <param name="drain">As for one; for each mapping.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <returns>What became of each mapping's connections, in the same order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The drain is out of range.</exception>
    /// <exception cref="ArgumentException">There are none, or too many for a request; the message says how many would fit.</exception>
    /// <exception cref="RelayException">NotFound: one is not mapped; <see cref="RelayError.Index"/> tells which. None was removed.</exception>
    public Task<IReadOnlyList<UnmapResult>> UnmapAsync(
        IReadOnlyList<PortMappingKey> keys, TimeSpan? drain = null, CancellationToken cancellationToken = default)
    {
        ThrowIfEmpty(keys, nameof(keys));
        if (drain is { } time && (time < TimeSpan.Zero || time.TotalMilliseconds > WireFormat.MaxDrainMilliseconds))
            throw new ArgumentOutOfRangeException(nameof(drain), drain, "a drain is between 0 and one hour");
        return CallForArrayAsync("unmap", keys, WriteItem, nameof(keys), WireFormat.ReadUnmapResult, keys.Count, cancellationToken);

        void WriteItem(ref MessagePackWriter writer, PortMappingKey key) => WireFormat.WriteUnmapItem(ref writer, new UnmapItem(key, drain));
    }

    /// <summary>Lists the mappings in force with their counters, sorted by family, address and port.</summary>
    /// <param name="cancellationToken">Stops the waiting.</param>
    public Task<IReadOnlyList<PortMappingStatus>> ListAsync(CancellationToken cancellationToken = default) =>
        CallForArrayAsync("list", NoParams, WriteNone, "", WireFormat.ReadStatus, answerCount: null, cancellationToken);

    /// <summary>Lists connections, the oldest first, also those that have outlived their mapping.</summary>
    /// <param name="keys">The mappings whose connections are listed; none means all.</param>
    /// <param name="limit">How many at most, 1 to 100,000.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is out of range.</exception>
    /// <exception cref="RelayException">
    /// NotFound: there is no such mapping; <see cref="RelayError.Index"/> tells which. MethodNotFound: the relay does not know its connections.
    /// </exception>
    public async Task<IReadOnlyList<RelayConnection>> ConnectionsAsync(
        IReadOnlyList<PortMappingKey>? keys = null, int limit = ConnectionFormat.DefaultLimit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, ConnectionFormat.MaxLimit);
        (PortMappingKey? Key, int Limit)[] items = [(null, limit), .. (keys ?? []).Select(key => (key ?? throw new ArgumentNullException(nameof(keys)), 0))];
        try
        {
            return await CallForArrayAsync("connections", items, WriteItem, nameof(keys), ConnectionFormat.Read, answerCount: null, cancellationToken).ConfigureAwait(false);
        }
        catch (RelayException e) when (e.Error.Index > 0)
        {
            // The relay counts the limit too.
            throw new RelayException(e.Error with { Index = e.Error.Index - 1 });
        }

        static void WriteItem(ref MessagePackWriter writer, (PortMappingKey? Key, int Limit) item)
        {
            if (item.Key is null)
                ConnectionFormat.WriteLimit(ref writer, item.Limit);
            else
                WireFormat.WriteUnmapItem(ref writer, new UnmapItem(item.Key, null));
        }
    }

    /// <summary>
    /// From now on maps what listens in the guest automatically: to the same port on host loopback, for as long as something listens there. Replaces the options in
    /// force before.
    /// </summary>
    /// <param name="options">Which ports; null: the default.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <returns>What is mapped, once the agent's first report has been dealt with; <see cref="EventsAsync"/> tells what changes.</returns>
    /// <exception cref="RelayException">NotSupported: the target has no agent that tells what listens. InvalidParams: the options name no ports.</exception>
    public Task<AutoMapResult> AutoMapAsync(AutoMapOptions? options = null, CancellationToken cancellationToken = default) =>
        CallAsync("auto", [options ?? new AutoMapOptions()], AutoFormat.WriteParams, nameof(options), AutoFormat.ReadResult, cancellationToken);

    /// <summary>Ends what <see cref="AutoMapAsync"/> began, and removes what it had mapped. Established connections live on.</summary>
    /// <param name="cancellationToken">Stops the waiting.</param>
    public Task EndAutoMapAsync(CancellationToken cancellationToken = default) => CallAsync("auto", NoParams, WriteNone, "", AutoFormat.ReadResult, cancellationToken);

    /// <summary>What happens in the relay from now on, until the channel ends. Each use subscribes anew; several may run at once.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <remarks>
    /// Of what is not read, 1,000 events wait here and as many in the relay; a <see cref="LostEvent"/> stands for those beyond. Calls are not held up.
    /// </remarks>
    /// <exception cref="RelayException">MethodNotFound: the relay knows no events.</exception>
    public IAsyncEnumerable<RelayEvent> EventsAsync(CancellationToken cancellationToken = default) => ReadEventsAsync(cancellationToken);

    /// <summary>
    /// Ends the relay's input once the requests made so far are written, by which the relay ends. Does not wait. Calls under way are
    /// still answered if the relay answers them; later ones fail with <see cref="InvalidOperationException"/>.
    /// </summary>
    public void CloseInput() => _channel.CloseInput();

    /// <summary>Closes both streams. Calls under way and later ones fail with <see cref="ObjectDisposedException"/>.</summary>
    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private async IAsyncEnumerable<RelayEvent> ReadEventsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var queue = new EventQueue();
        _channel.Add(queue);
        try
        {
            await CallAsync("subscribe", NoParams, WriteNone, "", EventFormat.ReadSubscription, cancellationToken).ConfigureAwait(false);
            await foreach (RelayEvent item in queue.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return item;
        }
        finally
        {
            _channel.Remove(queue);
        }
    }

    private static void ThrowIfEmpty<T>(IReadOnlyList<T> items, string name)
    {
        ArgumentNullException.ThrowIfNull(items, name);
        if (items.Count == 0)
            throw new ArgumentException("at least one mapping is needed", name);
    }

    // A request that is answered with an array, of so many items or of any number.
    private Task<IReadOnlyList<TResult>> CallForArrayAsync<TItem, TResult>(
        string method, IReadOnlyList<TItem> items, WireFormat.Writer<TItem> writeItem, string name, WireFormat.Reader<TResult> readResult,
        int? answerCount, CancellationToken cancellationToken)
    {
        return CallAsync<TItem, IReadOnlyList<TResult>>(method, items, writeItem, name, Read, cancellationToken);

        TResult[] Read(ref MessagePackReader reader)
        {
            TResult[] results = reader.ReadArray(readResult);
            return results.Length == (answerCount ?? results.Length)
                ? results
                : throw MapFields.Invalid("result", $"has {results.Length} items, not {answerCount}");
        }
    }

    private Task<TResult> CallAsync<TItem, TResult>(
        string method, IReadOnlyList<TItem> items, WireFormat.Writer<TItem> writeItem, string name, WireFormat.Reader<TResult> readResult,
        CancellationToken cancellationToken)
        where TResult : class
    {
        uint id = _channel.NextId();
        return _channel.CallAsync(id, Encode(id, method, items, writeItem, name), readResult, cancellationToken);
    }

    private static void WriteNone(ref MessagePackWriter writer, string item)
    {
    }

    // A whole request; one that is larger than a relay accepts is an error.
    private static byte[] Encode<T>(uint id, string method, IReadOnlyList<T> items, WireFormat.Writer<T> writeItem, string name)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        RpcWriter.BeginRequest(ref writer, id, method, items.Count);
        writer.Flush();
        int fitting = 0;
        foreach (T item in items)
        {
            ArgumentNullException.ThrowIfNull(item, name);
            writeItem(ref writer, item);
            writer.Flush();
            fitting += buffer.WrittenCount <= MaxRequestSize ? 1 : 0;
        }
        return buffer.WrittenCount <= MaxRequestSize
            ? buffer.WrittenSpan.ToArray()
            : throw new ArgumentException(
                $"{items.Count} mappings make a request of {buffer.WrittenCount} bytes, and a relay takes {MaxRequestSize}: "
                + $"the first {fitting} would fit, so ask in several calls",
                name);
    }
}
