using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

/// <summary>The program as the child of the library that its parents use.</summary>
public sealed class RelayProcessTests
{
    [Fact]
    public async Task A_handle_that_could_be_inherited_is_not()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        await using var relay = Start();
        await relay.Client.HelloAsync(TestContext.Current.CancellationToken);
        pipe.DisposeLocalCopyOfClientHandle();
        Assert.Equal(0, await ReadAsync(pipe).WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken));
    }

    /// <summary>The control of the test above: what it would see otherwise.</summary>
    [Fact]
    public async Task A_child_that_inherits_everything_keeps_such_a_handle()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        Task<int> end;
        await using (var relay = RelayUnderTest.Serve())
        {
            await relay.ResultAsync("hello");
            pipe.DisposeLocalCopyOfClientHandle();
            end = ReadAsync(pipe);
            await Limits.PauseAsync();
            Assert.False(end.IsCompleted);
        }

        Assert.Equal(0, await end.WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_killed_parents_relay_ends_and_frees_its_ports_within_a_second()
    {
        await using var guest = GuestServer.Echo();
        using var parent = await RelayParent.StartAsync(guest.Port);
        var clients = new List<Socket>();
        foreach (var mapping in parent.Mappings)
        {
            clients.Add(await mapping.ConnectAsync());
            await clients[^1].AssertEchoAsync();
        }

        Assert.True(ProcessFigures.IsRunning(parent.RelayId));
        await Limits.AssertEndsInTimeAsync(parent.RelayId, parent.Kill);
        Assert.All(parent.Mappings, mapping => Assert.True(Net.CanListen(mapping.EndPoint), $"{mapping.Name} is still taken."));
        foreach (var client in clients)
        {
            await client.AssertEndedAsync();
            client.Dispose();
        }
    }

    [Fact]
    public async Task A_killed_parents_relay_ends_although_another_process_has_the_pipe_to_it()
    {
        Harness.Platform.OnLinuxOnly("The pipe is opened through /proc.");
        await using var guest = GuestServer.Echo();
        using var parent = await RelayParent.StartAsync(guest.Port);

        // Like a child that has inherited the pipe: it has no end of file while this is open.
        await using var writeEnd = new FileStream($"/proc/{parent.RelayId}/fd/0", FileMode.Open, FileAccess.Write);
        Assert.True(ProcessFigures.IsRunning(parent.RelayId));
        await Limits.AssertEndsInTimeAsync(parent.RelayId, parent.Kill);
        Assert.All(parent.Mappings, mapping => Assert.True(Net.CanListen(mapping.EndPoint), $"{mapping.Name} is still taken."));
    }

    [Fact]
    public async Task The_exit_event_ends_it_with_0_within_a_second_with_500_connections_open()
    {
        await using var guest = GuestServer.Echo();
        await using var relay = Start();
        var mappings = await MapAsync(relay, guest.Port, 20);
        var clients = new List<Socket>();
        for (var i = 0; i < 500; i++)
        {
            clients.Add(await mappings[i % mappings.Length].ConnectAsync());
            await clients[^1].AssertEchoAsync();
        }

        await Limits.AssertEndsInTimeAsync(relay.Id, relay.SignalExit);
        Assert.Equal(0, await relay.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken));
        Assert.All(mappings, mapping => Assert.True(Net.CanListen(mapping.EndPoint), $"{mapping.Name} is still taken."));
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task A_shared_exit_event_ends_every_relay_that_has_it_and_stays_usable()
    {
        using var exit = new RelayExitEvent();
        var info = new RelayStartInfo(RelayProgram.Path) { StandardError = RelayStandardError.Discard, ExitEvent = exit };
        await using (var first = RelayProgram.Start(info))
        {
            await first.Client.HelloAsync(TestContext.Current.CancellationToken);
        }

        await using var second = RelayProgram.Start(info);
        await using var third = RelayProgram.Start(info);
        await Task.WhenAll(
            second.Client.HelloAsync(TestContext.Current.CancellationToken), third.Client.HelloAsync(TestContext.Current.CancellationToken));
        exit.Signal();
        foreach (var relay in (RelayProcess[])[second, third])
            Assert.Equal(0, await relay.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_killed_relay_fails_every_pending_call_at_once()
    {
        await using var guest = GuestServer.Echo();
        await using var relay = Start();
        var clients = new List<Socket>();
        var calls = new List<Task>();
        foreach (var mapping in await MapAsync(relay, guest.Port, 50))
        {
            // A connection that stays open keeps its mapping's unmap waiting.
            clients.Add(await mapping.ConnectAsync());
            await clients[^1].AssertEchoAsync();
            var key = new PortMappingKey(IPAddress.Parse(mapping.Address), mapping.HostPort);
            calls.Add(relay.Client.UnmapAsync(key, TimeSpan.FromMinutes(10), TestContext.Current.CancellationToken));
        }

        await relay.Client.ListAsync(TestContext.Current.CancellationToken);
        Assert.All(calls, call => Assert.False(call.IsCompleted));

        // Their drains would take ten minutes.
        relay.Kill();
        foreach (var call in calls)
        {
            var ended = await Assert.ThrowsAsync<RelayDisconnectedException>(() => call.WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken));
            Assert.Equal(OperatingSystem.IsWindows() ? 1 : -9, ended.ExitCode);
        }

        clients.ForEach(client => client.Dispose());
    }

    private static RelayProcess Start() => RelayProgram.Start(new RelayStartInfo(RelayProgram.Path) { StandardError = RelayStandardError.Discard });

    private static async Task<Mapping[]> MapAsync(RelayProcess relay, int guestPort, int count)
    {
        var mappings = await relay.Client.MapAsync([.. Enumerable.Range(0, count).Select(_ => new PortMapping(IPAddress.Loopback, Net.FreePort(), guestPort))]);
        return [.. mappings.Select(mapping => new Mapping("tcp", 4, "127.0.0.1", mapping.HostPort, guestPort))];
    }

    private static Task<int> ReadAsync(AnonymousPipeServerStream pipe) => pipe.ReadAsync(new byte[1]).AsTask();
}
