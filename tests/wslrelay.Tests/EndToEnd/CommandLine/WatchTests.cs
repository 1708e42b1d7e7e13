using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.CommandLine;

/// <summary><c>forward --watch</c> in a real terminal.</summary>
public sealed class WatchTests
{
    [Fact]
    public async Task Shows_state_connections_rates_and_the_last_error_of_each_mapping()
    {
        await using var server = GuestServer.Echo();
        var port = Net.FreePort(count: 2);
        await using var terminal = await Terminal.StartAsync(80, 24, "", "forward", $"{port}:{server.Port}", $"{port + 1}:{Net.FreePort()}", "--watch");
        var screen = await terminal.UntilAsync($@"^127\.0\.0\.1:{port}/tcp +listening +0/0 +0 B/s +0 B/s +{server.Port}$");
        Assert.StartsWith("direct: 2 mappings, 0 connections", screen[0], StringComparison.Ordinal);
        Assert.Matches("^MAPPING +STATE +OPEN/ALL +TO GUEST +TO HOST +GUEST$", screen[1]);

        using var client = await new Mapping("tcp", 4, "127.0.0.1", port, server.Port).ConnectAsync();
        await terminal.UntilAsync($@"^127\.0\.0\.1:{port}/tcp +active +1/1 ");
        using var stop = new CancellationTokenSource();
        var traffic = SendAsync();
        await terminal.UntilAsync($@"^127\.0\.0\.1:{port}/tcp +active +1/1 +[0-9.]+ [kMG]B/s +[0-9.]+ [kMG]B/s ");
        await stop.CancelAsync();
        await traffic;

        await new Mapping("tcp", 4, "127.0.0.1", port + 1, 1).AssertResetAsync();
        screen = await terminal.UntilAsync($@"^127\.0\.0\.1:{port + 1}/tcp +failing +0/1 ");
        Assert.Contains(screen, line => line.Contains(" ConnectionRefused: 127.0.0.1:", StringComparison.Ordinal));

        async Task SendAsync()
        {
            var buffer = new byte[64 * 1024];
            while (!stop.IsCancellationRequested)
            {
                await client.SendAllAsync(buffer);
                await client.ReceiveExactlyAsync(buffer.Length);
            }
        }
    }

    [Fact]
    public async Task Fits_every_size_that_the_window_is_given()
    {
        int port = Net.FreePort(count: 12), guest = Net.FreePort(count: 12);
        await using var terminal = await Terminal.StartAsync(80, 24, "", "forward", $"{port}-{port + 11}:{guest}-{guest + 11}", "--watch");
        await terminal.UntilAsync($"^127.0.0.1:{port + 11}/tcp ");
        await new Mapping("tcp", 4, "127.0.0.1", port + 11, 1).AssertResetAsync();

        await terminal.ResizeAsync(40, 10);
        var screen = await terminal.UntilAsync(@"^\.\.\. and 6 more$");
        Assert.Equal(10, screen.Length);
        Assert.Matches(@"^MAPPING +STATE +OPEN/ALL$", screen[1]);
        screen = await terminal.UntilAsync("failing");
        Assert.StartsWith($"127.0.0.1:{port + 11}/tcp ", screen[2], StringComparison.Ordinal);
        Assert.Contains("ConnectionRefused", screen[3], StringComparison.Ordinal);

        await terminal.ResizeAsync(20, 2);
        await Limits.UntilAsync(async () => (await terminal.ReadAsync()) is ["direct: 12 mappings,", "MAPPING"], "the smallest screen");
        await terminal.ResizeAsync(100, 30);
        screen = await terminal.UntilAsync("GUEST$");
        Assert.Equal(15, screen.Length);
    }

    [Theory]
    [InlineData("C-c")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task Gives_the_terminal_back_at_the_end(string cause)
    {
        var port = Net.FreePort();
        await using var terminal = await Terminal.StartAsync(40, 10, "", "forward", $"{port}", "--watch");
        var screen = await terminal.UntilAsync("listening");
        Assert.DoesNotContain("before", screen);
        Assert.Equal(("1", "0"), (await terminal.IsAlternateAsync, await terminal.IsCursorShownAsync));

        if (cause == "C-c")
            await terminal.PressAsync(cause);
        else
            await ProgramRun.OfAsync(["/bin/kill", $"-{cause}", $"{await terminal.ProcessAsync()}"]);

        Assert.Equal(["before", "ended 0"], (await terminal.UntilAsync("^ended")).Where(line => line != "^C"));
        Assert.Equal(("0", "1"), (await terminal.IsAlternateAsync, await terminal.IsCursorShownAsync));
    }

    [Fact]
    public async Task Gives_the_terminal_back_while_it_is_stopped()
    {
        await using var terminal = await Terminal.StartAsync(80, 24, "", "forward", $"{Net.FreePort()}", "--watch");
        await terminal.UntilAsync("listening");
        await terminal.PressAsync("C-z");
        await terminal.UntilAsync("before");
        Assert.Equal(("0", "1"), (await terminal.IsAlternateAsync, await terminal.IsCursorShownAsync));
        await ProgramRun.OfAsync(["/bin/kill", "-CONT", $"{await terminal.ProcessAsync()}"]);
        Assert.DoesNotContain("before", await terminal.UntilAsync("listening"));
    }

    [Fact]
    public async Task A_terminal_without_escape_sequences_gets_the_table_when_it_has_changed()
    {
        var port = Net.FreePort();
        await using var terminal = await Terminal.StartAsync(80, 24, "TERM=dumb", "forward", $"{port}:{Net.FreePort()}", "--watch");
        await terminal.UntilAsync("listening");
        await new Mapping("tcp", 4, "127.0.0.1", port, 1).AssertResetAsync();
        await terminal.UntilAsync("ConnectionRefused");
        await terminal.PressAsync("C-c");
        var screen = await terminal.UntilAsync("ended 0$");
        Assert.Equal("before", screen[0]);
        Assert.Equal(2, screen.Count(line => line.StartsWith("MAPPING", StringComparison.Ordinal)));
        Assert.Equal(("0", "1"), (await terminal.IsAlternateAsync, await terminal.IsCursorShownAsync));
    }
}
