using System.Text.Json;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.CommandLine;

/// <summary><c>forward</c>: a line for each mapping once it listens, until a signal.</summary>
public sealed class ForwardTests
{
    [Fact]
    public async Task Takes_every_form_of_a_mapping()
    {
        await using var four = GuestServer.Echo();
        await using var six = GuestServer.Echo(family: 6);
        var port = Net.FreePort(count: 3);
        using var forward = new ForwardUnderTest($"{port}:{four.Port}", $"127.0.0.2:{port}:{four.Port}/tcp", $"[::1]:{port}:{six.Port}");
        string[] lines =
        [
            $"127.0.0.1:{port}/tcp -> direct {four.Port}", $"127.0.0.2:{port}/tcp -> direct {four.Port}", $"[::1]:{port}/tcp -> direct {six.Port}",
        ];
        foreach (var line in lines)
            Assert.Equal(line, await forward.ReadLineAsync());

        await new Mapping("tcp", 4, "127.0.0.1", port, four.Port).AssertEchoAsync();
        await new Mapping("tcp", 4, "127.0.0.2", port, four.Port).AssertEchoAsync();
        await new Mapping("tcp", 6, "::1", port, six.Port).AssertEchoAsync();
    }

    [Fact]
    public async Task Prints_the_port_that_the_system_chose()
    {
        await using var guest = GuestServer.Echo();
        using var forward = new ForwardUnderTest($"127.0.0.1:0:{guest.Port}");
        var line = await forward.ReadLineAsync();
        Assert.Matches($"^127\\.0\\.0\\.1:[1-9][0-9]*/tcp -> direct {guest.Port}$", line);
        await new Mapping("tcp", 4, "127.0.0.1", int.Parse(line.Split(':', '/')[1]), guest.Port).AssertEchoAsync();
    }

    [Fact]
    public async Task Maps_a_range_to_a_range()
    {
        var guest = Net.FreePort(count: 3);
        await using var last = GuestServer.Content("last"u8.ToArray(), port: guest + 2);
        var port = Net.FreePort(count: 3);
        using var forward = new ForwardUnderTest($"{port}-{port + 2}:{guest}-{guest + 2}");
        for (var i = 0; i < 3; i++)
            Assert.Equal($"127.0.0.1:{port + i}/tcp -> direct {guest + i}", await forward.ReadLineAsync());

        using var client = await new Mapping("tcp", 4, "127.0.0.1", port + 2, guest + 2).ConnectAsync();
        Assert.Equal("last"u8.ToArray(), await client.ReceiveToEndAsync());
    }

    [Fact]
    public async Task A_single_port_goes_to_the_same_port_of_the_target()
    {
        var port = Net.FreePort();
        using var forward = new ForwardUnderTest("--target", "direct:127.0.0.3", $"{port}");
        Assert.StartsWith($"127.0.0.1:{port}/tcp -> direct", await forward.ReadLineAsync(), StringComparison.Ordinal);
        using var listener = Net.Listen(new(System.Net.IPAddress.Parse("127.0.0.3"), port));
        using var client = await new Mapping("tcp", 4, "127.0.0.1", port, port).ConnectAsync();
        using var guest = await listener.AcceptConnectionAsync();
    }

    [Fact]
    public async Task Ignores_standard_input()
    {
        await using var guest = GuestServer.Echo();
        using var forward = new ForwardUnderTest($"{Net.FreePort()}:{guest.Port}");
        forward.Process.StandardInput.Close();
        var line = await forward.ReadLineAsync();
        await Limits.PauseAsync();
        await new Mapping("tcp", 4, "127.0.0.1", int.Parse(line.Split(':', '/')[1]), guest.Port).AssertEchoAsync();
    }

    [Fact]
    public async Task A_mapping_that_fails_ends_it_with_1_and_the_errors_message()
    {
        using var taken = Net.Listen(Net.Loopback(4));
        var name = $"{taken.LocalEndPoint}/tcp";
        var run = await ProgramRun.OfRelayAsync("forward", $"{name.Split('/')[0]}:80");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(name, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_remote_address_needs_the_option()
    {
        var port = Net.FreePort();
        Assert.Equal(1, (await ProgramRun.OfRelayAsync("forward", $"0.0.0.0:{port}:80")).ExitCode);
        using var forward = new ForwardUnderTest("--allow-remote", $"0.0.0.0:{port}:80");
        Assert.Equal($"0.0.0.0:{port}/tcp -> direct 80", await forward.ReadLineAsync());
    }

    [Fact]
    public async Task Json_has_a_line_for_each_mapping_and_each_event()
    {
        int port = Net.FreePort(count: 2), guest = Net.FreePort();
        using var forward = new ForwardUnderTest("--json", $"{port}:{guest}", $"[::1]:{port + 1}:{guest}");
        foreach (var (family, address, hostPort) in new[] { (4, "127.0.0.1", port), (6, "::1", port + 1) })
        {
            using var listening = JsonDocument.Parse(await forward.ReadLineAsync());
            var expected = $$"""{"event":"listening","protocol":"tcp","family":{{family}},"address":"{{address}}","hostPort":{{hostPort}},"guestPort":{{guest}},"target":"direct"}""";
            Assert.Subset(Fields(listening), Fields(JsonDocument.Parse(expected)));
        }

        using var client = await new Mapping("tcp", 4, "127.0.0.1", port, guest).ConnectToBeResetAsync();
        using var failed = JsonDocument.Parse(await forward.ReadLineAsync());
        Assert.Subset(Fields(failed), Fields(JsonDocument.Parse($$"""{"event":"connectionFailed","hostPort":{{port}},"client":"{{client.LocalEndPoint}}"}""")));
        Assert.Equal("ConnectionRefused", failed.RootElement.GetProperty("error").GetProperty("name").GetString());

        static HashSet<string> Fields(JsonDocument document) => [.. document.RootElement.EnumerateObject().Select(field => $"{field.Name}={field.Value}")];
    }

    [Theory]
    [InlineData("--log-level=error")]
    [InlineData("--json")]
    public async Task Continues_when_its_output_is_not_read(string option)
    {
        await using var guest = GuestServer.Echo();
        var port = Net.FreePort(count: 2);
        using var forward = new ForwardUnderTest(option, $"{port}:{guest.Port}", $"{port + 1}:{Net.FreePort()}");
        await forward.ReadLineAsync();
        forward.Process.StandardOutput.Close();
        await new Mapping("tcp", 4, "127.0.0.1", port + 1, 1).AssertResetAsync();
        await new Mapping("tcp", 4, "127.0.0.1", port, guest.Port).AssertEchoAsync();
    }

    [Fact]
    public async Task Localhost_is_both_families_on_one_number()
    {
        await using var six = GuestServer.Echo(6, Net.FreePort());
        using var forward = new ForwardUnderTest($"localhost:0:{six.Port}");
        var (first, second) = (await forward.ReadLineAsync(), await forward.ReadLineAsync());
        var number = first.Split(':', '/')[1];
        Assert.Equal($"127.0.0.1:{number}/tcp -> direct {six.Port}", first);
        Assert.Equal($"[::1]:{number}/tcp -> direct {six.Port}", second);
        await new Mapping("tcp", 4, "127.0.0.1", int.Parse(number), six.Port).AssertEchoAsync();
        await new Mapping("tcp", 6, "::1", int.Parse(number), six.Port).AssertEchoAsync();
    }

    [Fact]
    public async Task Proxy_begins_each_connection_with_a_header()
    {
        using var server = Net.Listen(Net.Loopback(4));
        var guestPort = ((System.Net.IPEndPoint)server.LocalEndPoint!).Port;
        using var forward = new ForwardUnderTest("--proxy", $"127.0.0.1:0:{guestPort}");
        var port = int.Parse((await forward.ReadLineAsync()).Split(':', '/')[1]);
        using var client = await new Mapping("tcp", 4, "127.0.0.1", port, guestPort).ConnectAsync();
        using var guest = await server.AcceptConnectionAsync();
        Assert.Equal("\r\n\r\n\0\r\nQUIT\n!"u8.ToArray(), await guest.ReceiveExactlyAsync(13));
    }
}
