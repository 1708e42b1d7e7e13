using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RelayProtocol;
using Wslrelay.Control;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

/// <summary>The real session on a scripted port: failures that do not occur on a real system, and a table too large for one.</summary>
public sealed class ScriptedSessionTests
{
    private static readonly MsgMap Mapping = new() { ["hostPort"] = 4711, ["guestPort"] = 80 };

    [Theory]
    [InlineData("at once")]
    [InlineData("when the port is closed")]
    public void An_unmap_that_fails_unexpectedly_is_answered_and_the_session_continues(string when)
    {
        using ScriptedPort port = PortWith([0, 1, "map", new[] { Mapping }], [0, 2, "unmap", new[] { Mapping }], [0, 3, "hello", Array.Empty<object>()]);
        if (when == "at once")
            port.Cancelling = static () => throw new InvalidOperationException("at once");

        var answers = Run(port, new FailingLogger(when == "at once" ? null : "is unmapped"));
        Assert.Equal([1L, 2L, 3L], answers.Select(answer => answer[1]));
        Assert.Equal([true, false, true], answers.Select(answer => answer[2] is null));
        var fault = Fault.Parse(answers[1][2]);
        Assert.Equal(("Internal", $"unmap: InvalidOperationException: {when}"), (fault.Name, fault.Message));
    }

    [Fact]
    public void A_list_over_16_MiB_is_an_error()
    {
        const int Step = 10_000;
        using ScriptedPort port = PortWith([0, 1, "list", Array.Empty<object>()]);
        var answers = Run(port, NullLogger.Instance, static table =>
        {
            for (var first = 0; first < 15 * Step; first += Step)
                table.Map([.. Enumerable.Range(first, Step).Select(i => new PortMapping(new IPAddress([127, (byte)(i >> 16), (byte)(i >> 8), (byte)i]), 4711, 80))]);
        });
        var answer = Assert.Single(answers);
        Assert.Equal(1L, answer[1]);
        var fault = Fault.Parse(answer[2]);
        Assert.Equal("NotSupported", fault.Name);
        Assert.Contains("at most 16777216", fault.Message, StringComparison.Ordinal);
    }

    private static ScriptedPort PortWith(params object?[][] requests) => new() { Input = new ScriptedSocket(MsgEncoder.Encode(requests), piece: 1), Output = new ScriptedSocket([]) };

    private static List<object?[]> Run(ScriptedPort port, ILogger logger, Action<PortTable>? prepare = null)
    {
        var loop = new IoLoop(port);
        var log = new RelayLog(logger);
        Assert.True(RelayTarget.TryParse("direct", out var target, out _));
        var table = new PortTable(loop, RelayTargetEndpoint.Resolve(target), GuestProtocol.Relay, allowRemote: false, log);
        prepare?.Invoke(table);
        SessionEnd? end = null;
        var session = new ControlSession(table, log, e => end = e);
        port.Idle = () =>
        {
            Assert.True(end is not null, "The session neither ends nor reads on.");
            throw new OperationCanceledException("The session has ended.");
        };
        session.Start();
        Assert.Throws<OperationCanceledException>(loop.Run);
        Assert.Equal(SessionEnd.EndOfFile, end);
        List<object?[]> answers = [];
        for (var rest = port.Output!.Sent.ToArray(); rest.Length > 0;)
        {
            Assert.True(MsgDecoder.TryDecode(rest, out var answer, out var length));
            answers.Add(Assert.IsType<object?[]>(answer));
            rest = rest[length..];
        }

        return answers;
    }

    private sealed class FailingLogger(string? text) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (text is not null && formatter(state, exception).Contains(text, StringComparison.Ordinal))
                throw new InvalidOperationException("when the port is closed");
        }
    }
}
