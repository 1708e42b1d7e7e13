using System.Diagnostics;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The agent's side of section 3 of the protocol, against a relay that breaks each of its rules.</summary>
public sealed class PreambleTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Each_broken_preamble_gets_its_error_then_an_end_and_disturbs_no_other_connection(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        using var healthy = await agent.ConnectAsync();
        await healthy.SendAllAsync(Preamble.Of(server.Port));
        Assert.Null(await healthy.ReadAnswerAsync());
        var descriptors = new Descriptors(agent.Process);
        foreach (var broken in Preamble.Broken(server.Port))
        {
            using var relay = await agent.ConnectAsync();
            await relay.SendAllAsync(broken.Bytes);
            var fault = await relay.ReadAnswerAsync();
            Assert.True(fault?.Name == broken.Name && fault.Message.Contains(broken.Part, StringComparison.Ordinal), $"{broken.What}: {fault}");
            Assert.Null(fault.Index);
            await relay.AssertEndAsync();

            // Bytes that the relay has already sent are still read, and dropped.
            await relay.SendAllAsync(new byte[100_000]);
            relay.Shutdown(SocketShutdown.Send);
            await healthy.AssertEchoAsync();
        }

        await descriptors.AssertReleasedAsync();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Preambles_of_every_form_are_understood(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        await using var server6 = GuestServer.Echo(6);
        var port16 = new MsgRaw(0xcd, (byte)(server.Port >> 8), (byte)server.Port);
        byte[][] forms =
        [
            Preamble.Of(server.Port),
            Preamble.Of(server6.Port, family: 6),
            Preamble.OfSize(1024, server.Port),
            MsgEncoder.Encode(new MsgMap { ["port"] = server.Port, ["future"] = new object?[] { 1, null }, ["family"] = 4, ["protocol"] = "tcp", ["v"] = 1 }),
            MsgEncoder.Encode(new MsgMap { ["v"] = new MsgRaw(0xd3, 0, 0, 0, 0, 0, 0, 0, 1), ["protocol"] = "tcp"u8.ToArray(), ["family"] = new MsgRaw(0xce, 0, 0, 0, 4), ["port"] = port16 }),
            [0xdf, 0, 0, 0, 4, .. Preamble.Of(server.Port)[1..]],
        ];
        foreach (var form in forms)
        {
            using var relay = await agent.ConnectAsync();
            await relay.SendAllAsync(form);
            Assert.Null(await relay.ReadAnswerAsync());
            await relay.AssertEchoAsync();
        }
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task First_bytes_in_one_packet_with_the_preamble_reach_the_server_first(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        foreach (var size in (int[])[1, 900, 987, 988, 989, 990, 991, 992, 993, 994, 995, 996, 1023, 1024, 1025, 5000, 200_000])
        {
            using var relay = await agent.ConnectAsync();
            var bytes = Net.RandomBytes(size, size);
            await relay.SendAllAsync((byte[])[.. Preamble.Of(server.Port), .. bytes]);
            relay.Shutdown(SocketShutdown.Send);
            Assert.Null(await relay.ReadAnswerAsync());
            Assert.Equal(bytes, await relay.ReceiveToEndAsync());
        }
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_preamble_may_arrive_byte_by_byte(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        using var relay = await agent.ConnectAsync();
        foreach (var one in (byte[])[.. Preamble.Of(server.Port), 0x2a])
        {
            await relay.SendAllAsync(new[] { one });
            await Limits.PauseAsync(5);
        }

        Assert.Null(await relay.ReadAnswerAsync());
        Assert.Equal(0x2a, Assert.Single(await relay.ReceiveExactlyAsync(1)));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Relays_that_close_within_their_preamble_leave_no_descriptor(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        var preamble = Preamble.Of(server.Port);
        using (var first = await agent.ConnectAsync())
        {
            await first.SendAllAsync(preamble);
            Assert.Null(await first.ReadAnswerAsync());
        }

        await Limits.PauseAsync();
        var descriptors = new Descriptors(agent.Process);
        for (var length = 0; length < preamble.Length; length++)
        {
            // A relay that ends its sending within its preamble gets an error; one that is gone gets nothing.
            using (var ends = await agent.ConnectAsync())
            {
                await ends.SendAllAsync(preamble.AsMemory(0, length));
                ends.Shutdown(SocketShutdown.Send);
                Assert.Equal("InvalidParams", (await ends.ReadAnswerAsync())!.Name);
                await ends.AssertEndAsync();
            }

            var gone = await agent.ConnectAsync();
            await gone.SendAllAsync(preamble.AsMemory(0, length));
            gone.Reset();
        }

        for (var i = 0; i < 100; i++)
        {
            var gone = await agent.ConnectAsync();
            await gone.SendAllAsync(preamble);
            gone.Reset();
        }

        await descriptors.AssertReleasedAsync();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_preamble_takes_ten_seconds_at_most_and_a_refused_relay_is_read_from_for_five(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        var descriptors = new Descriptors(agent.Process);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(AssertRefusedAfterTenSecondsAsync(), AssertRefusedAfterTenSecondsAsync(), AssertReadFromForFiveSecondsAsync());
        await descriptors.AssertReleasedAsync();

        // A byte a second is progress, but too slow.
        async Task AssertRefusedAfterTenSecondsAsync()
        {
            using var relay = await agent.ConnectAsync();
            var answer = relay.ReadAnswerAsync();
            foreach (var one in Preamble.OfSize(1000, server.Port))
            {
                await relay.SendAllAsync(new[] { one });
                if (await Task.WhenAny(answer, Task.Delay(1000)) == answer)
                    break;
            }

            Limits.AssertTook(clock, 10);
            Assert.Equal("InvalidParams", (await answer)!.Name);
            await relay.AssertEndAsync();
        }

        async Task AssertReadFromForFiveSecondsAsync()
        {
            using var relay = await agent.ConnectAsync();
            await relay.SendAllAsync(new byte[] { 0xc1 });
            Assert.Equal("InvalidParams", (await relay.ReadAnswerAsync())!.Name);
            await relay.AssertEndAsync();
            await Assert.ThrowsAsync<SocketException>(async () =>
            {
                while (true)
                {
                    await relay.SendAllAsync(new byte[1000]);
                    await Task.Delay(10);
                }
            });
            Limits.AssertTook(clock, 5);
        }
    }
}
