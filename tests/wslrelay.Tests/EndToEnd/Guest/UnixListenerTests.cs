using System.Runtime.Versioning;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The file of the agent's Unix socket, and how the agent ends.</summary>
public sealed class UnixListenerTests
{
    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task The_file_is_open_to_its_owner_only()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(link.Path));
    }

    [Fact]
    public async Task One_that_a_killed_agent_left_behind_is_replaced()
    {
        using var link = GuestLink.Create("unix");
        await using (var first = await AgentUnderTest.StartAsync(link))
        {
            first.Process.Kill();
            await first.ExitAsync();
        }

        Assert.True(File.Exists(link.Path));
        await using var second = await AgentUnderTest.StartAsync(link);
        await AssertServesAsync(second);
    }

    [Fact]
    public async Task One_that_an_agent_listens_on_is_AddressInUse_and_stays()
    {
        using var link = GuestLink.Create("unix");
        await using var first = await AgentUnderTest.StartAsync(link);
        var run = await AgentUnderTest.RunAsync(link.ListenText);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("AddressInUse", run.Error, StringComparison.Ordinal);
        Assert.Contains(link.Path, run.Error, StringComparison.Ordinal);
        await AssertServesAsync(first);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    [InlineData("link")]
    public async Task Any_other_file_at_the_path_is_AddressInUse_and_stays(string what)
    {
        using var link = GuestLink.Create("unix");
        switch (what)
        {
            case "file":
                await File.WriteAllTextAsync(link.Path, "precious", TestContext.Current.CancellationToken);
                break;
            case "folder":
                Directory.CreateDirectory(link.Path);
                break;
            default:
                await File.WriteAllTextAsync(link.Path + "-file", "precious", TestContext.Current.CancellationToken);
                File.CreateSymbolicLink(link.Path, link.Path + "-file");
                break;
        }

        var run = await AgentUnderTest.RunAsync(link.ListenText);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("AddressInUse", run.Error, StringComparison.Ordinal);
        Assert.Equal(what != "folder", File.Exists(link.Path));
        Assert.Equal(what == "folder", Directory.Exists(link.Path));
        Assert.True(what == "folder" || await File.ReadAllTextAsync(link.Path, TestContext.Current.CancellationToken) == "precious");
    }

    [Fact]
    public async Task A_port_that_is_taken_has_its_owner_named()
    {
        using var taken = Net.Listen(Net.Loopback(4));
        var run = await AgentUnderTest.RunAsync($"tcp:{taken.LocalEndPoint}");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains($"(pid {Environment.ProcessId})", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp:127.0.0.1:1", "AccessDenied")]
    [InlineData("unix:/nowhere/at/all", "unix:/nowhere/at/all")]
    [InlineData("tcp:192.0.2.1:4711", "AddressNotAvailable")]
    public async Task An_endpoint_that_cannot_be_bound_ends_the_agent_with_1(string listen, string error)
    {
        Platform.OnLinuxOnly("The agent runs on Linux.");
        Assert.SkipWhen(error == "AccessDenied" && (Environment.IsPrivilegedProcess || Platform.FirstPublicPort <= 1), "This user may bind every port.");
        var run = await AgentUnderTest.RunAsync(listen);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(error, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix", Libc.SIGTERM)]
    [InlineData("unix", Libc.SIGINT)]
    [InlineData("tcp", Libc.SIGTERM)]
    [InlineData("tcp", Libc.SIGINT)]
    public async Task A_signal_ends_the_agent_with_0_resets_its_connections_and_removes_the_file(string kind, int signal)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        await AssertEndsAsync(link, agent, () => Libc.Kill(agent.Process.Id, signal));
    }

    [Theory]
    [InlineData("eventfd")]
    [InlineData("written pipe")]
    [InlineData("hung-up pipe")]
    [InlineData("pidfd")]
    public async Task The_exit_event_ends_the_agent_as_a_signal_does(string kind)
    {
        using var link = GuestLink.Create("unix");
        using var exit = ExitSignal.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link, "--exit-event", exit.Number);
        await AssertEndsAsync(link, agent, exit.Signal);
    }

    private static async Task AssertEndsAsync(GuestLink link, AgentUnderTest agent, Action end)
    {
        using var listener = Net.Listen(Net.Loopback(4));
        using var relay = await agent.ConnectAsync();
        await relay.SendAllAsync(Preamble.Of(((System.Net.IPEndPoint)listener.LocalEndPoint!).Port));
        using var server = await listener.AcceptConnectionAsync();
        Assert.Null(await relay.ReadAnswerAsync());
        using var silent = await agent.ConnectAsync();
        end();
        Assert.Equal(0, await agent.ExitAsync());
        await server.AssertResetAsync();
        await relay.AssertEndedAsync();
        await silent.AssertEndedAsync();
        Assert.False(link.Kind == "unix" && File.Exists(link.Path), "The file is still there.");
    }

    private static async Task AssertServesAsync(AgentUnderTest agent)
    {
        await using var server = GuestServer.Echo();
        using var relay = await agent.ConnectAsync();
        await relay.SendAllAsync(Preamble.Of(server.Port));
        Assert.Null(await relay.ReadAnswerAsync());
        await relay.AssertEchoAsync();
    }
}
