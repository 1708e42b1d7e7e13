using System.Diagnostics;
using System.Text;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// The real program over real pipes, as any parent in any language sees it. Every wait is bounded, and what the relay logged comes with
/// every failure.
/// </summary>
internal sealed class RelayUnderTest : IAsyncDisposable
{
    private const int LogShown = 4000;

    private readonly StringBuilder _errors = new();
    private readonly MessageReader _messages;
    private readonly Task _errorReader;
    private readonly Queue<MsgMap> _events = new();
    private uint _lastId;

    private RelayUnderTest(Process process)
    {
        Process = process;
        _messages = new MessageReader(process.StandardOutput.BaseStream);
        _errorReader = Task.Run(ReadErrorsAsync);
    }

    public Process Process { get; }

    public Stream Input => Process.StandardInput.BaseStream;

    /// <summary>What the relay has logged so far.</summary>
    public string Log
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    private string EndOfLog => Log is { Length: > LogShown } log ? log[^LogShown..] : Log;

    public static RelayUnderTest Serve(params string[] arguments) => new(RelayProgram.Start(["serve", .. arguments]));

    /// <summary>As <see cref="Serve"/>, with its connections spread over so many loops.</summary>
    public static RelayUnderTest ServeOver(int loops) => new(RelayProgram.StartCommand([RelayProgram.Path, "serve"], loops: loops));

    /// <summary>As <see cref="Serve"/>, started by a command that ends its arguments with the relay's own.</summary>
    public static RelayUnderTest ServeThrough(string[] wrapper, params string[] arguments) =>
        new(RelayProgram.Start(["serve", .. arguments], wrapper));

    /// <summary>Writes bytes to the relay's standard input as they are.</summary>
    public async Task SendAsync(byte[] bytes)
    {
        await WaitAsync(Input.WriteAsync(bytes).AsTask(), "the relay to take a request");
        await WaitAsync(Input.FlushAsync(), "the relay to take a request");
    }

    /// <summary>Sends a request without waiting for its answer.</summary>
    public async Task<uint> RequestAsync(string method, params object?[] parameters)
    {
        var id = ++_lastId;
        await SendAsync(MsgEncoder.Encode([new object?[] { 0, id, method, parameters }]));
        return id;
    }

    /// <summary>The next message, whatever it is; null at the end of standard output.</summary>
    public Task<RawMessage?> NextAsync() => WaitAsync(_messages.NextAsync(), "a message of the relay");

    /// <summary>The next message but for events, which must be an answer.</summary>
    public async Task<Response> ResponseAsync()
    {
        while (true)
        {
            var message = await NextAsync();
            Assert.True(message is not null, "The relay closed standard output.");
            if (!TryTakeEvent(message))
                return Response.Parse(message.Value);
        }
    }

    /// <summary>The next event; answers must not be due.</summary>
    public async Task<MsgMap> EventAsync(string? name = null)
    {
        if (_events.Count == 0)
            Assert.True(TryTakeEvent(await NextAsync()), "The relay sent what is no event.");

        var item = _events.Dequeue();
        Assert.True(name is null || name.Equals(item["event"]), $"{item["event"]} came where {name} was due.");
        return item;
    }

    private bool TryTakeEvent(RawMessage? message)
    {
        if (message?.Value is not object?[] { Length: 3 } parts || parts is not [2L, "event", object?[] { Length: 1 } values])
            return false;

        _events.Enqueue(Assert.IsType<MsgMap>(values[0]));
        return true;
    }

    /// <summary>The next message, which must be the notification of a stream's error.</summary>
    public async Task<Fault> NotificationAsync()
    {
        var message = await NextAsync();
        Assert.True(message is not null, "The relay closed standard output.");
        var parts = Assert.IsType<object?[]>(message.Value);
        Assert.Equal(3, parts.Length);
        Assert.Equal(2L, parts[0]);
        Assert.Equal("error", parts[1]);
        return Fault.Parse(Assert.Single(Assert.IsType<object?[]>(parts[2])));
    }

    /// <summary>Sends a request and takes its answer, which must be the next message.</summary>
    public async Task<Response> CallAsync(string method, params object?[] parameters)
    {
        var id = await RequestAsync(method, parameters);
        var response = await ResponseAsync();
        Assert.Equal(id, response.Id);
        return response;
    }

    public async Task<object> ResultAsync(string method, params object?[] parameters)
    {
        var response = await CallAsync(method, parameters);
        Assert.True(response.Error is null, $"{method}: {response.Error}");
        return response.Result!;
    }

    public async Task<object?[]> ResultsAsync(string method, params object?[] parameters) =>
        Assert.IsType<object?[]>(await ResultAsync(method, parameters));

    /// <summary>Sends a request that must fail with the error of that name, and with its code.</summary>
    public async Task<Fault> FailAsync(string name, string method, params object?[] parameters)
    {
        var response = await CallAsync(method, parameters);
        Assert.True(response.Error is not null, $"{method} succeeded where {name} was due.");
        Assert.True(response.Error.Name == name, $"{method} got {response.Error} where {name} was due.");
        return response.Error;
    }

    public async Task<Mapping[]> MapAsync(params MsgMap[] mappings)
    {
        var results = await ResultsAsync("map", mappings);
        Assert.Equal(mappings.Length, results.Length);
        return [.. results.Select(Mapping.Parse)];
    }

    public async Task<Mapping> MapAsync(int guestPort, int hostPort = 0, int family = 4) =>
        (await MapAsync(new MsgMap { ["family"] = family, ["hostPort"] = hostPort, ["guestPort"] = guestPort }))[0];

    /// <summary>The entry of list for one mapping.</summary>
    public async Task<MsgMap> CountersAsync(Mapping mapping) =>
        Assert.IsType<MsgMap>(Assert.Single(await ResultsAsync("list"), entry => Mapping.Parse(entry) == mapping));

    public void CloseInput() => Process.StandardInput.Close();

    /// <summary>Waits for the relay's end: its exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await WaitAsync(Process.WaitForExitAsync(), "the relay to end");
        return Process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
        {
            // The tree matters where a parent stands between; under Wine the search for it fails when any process ends meanwhile.
            Process.Kill(entireProcessTree: !OperatingSystem.IsWindows());
        }

        await Process.WaitForExitAsync();
        await Task.WhenAny(_errorReader, Task.Delay(Limits.Quiet));
        TestContext.Current.TestOutputHelper?.WriteLine($"relay {Process.Id} ended with {Process.ExitCode}; the end of its log:\n{EndOfLog}");
        Process.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        while (await Process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_errors)
            {
                _errors.Append(line).Append('\n');
            }
        }
    }

    private async Task WaitAsync(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Limits.Hang);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Waited {Limits.Hang.TotalSeconds} s for {what}. The end of its log:\n{EndOfLog}");
        }
    }

    private async Task<T> WaitAsync<T>(Task<T> task, string what)
    {
        await WaitAsync((Task)task, what);
        return await task;
    }
}
