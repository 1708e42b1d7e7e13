using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

using Platform = Wslrelay.Tests.EndToEnd.Harness.Platform;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>
/// Hundreds of thousands of broken preambles for the real agent and broken answers for the real relay, in this process, with a good connection after every 99:
/// <c>WSLRELAY_BROKEN_MESSAGES</c> is how many of each (a million takes half a minute). <see cref="BrokenSocketTests"/> does the same to processes, with thousands.
/// </summary>
public sealed class BrokenMessageTests
{
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("WSLRELAY_BROKEN_MESSAGES"), out var count) ? count : 200_000;

    private static readonly RelayLog Log = new(NullLogger.Instance);

    [Fact]
    public void Broken_preambles_leave_no_operation_pending_in_the_agent()
    {
        Platform.NotUnderWine("It is the same code everywhere, and takes far longer there.");
        var good = Preamble.Of(80);
        var mutations = new Mutations(1, good, Preamble.OfSize(1024, 80), Preamble.Of(65535, family: 6));
        using var port = new ScriptedPort();
        var loop = new IoLoop(port);
        var agent = new GuestAgent(loop, Log, allowAnyCid: false);
        agent.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        var (done, refused, connected) = (0, 0, 0);
        TestConnection? last = null;
        port.Server = _ =>
        {
            connected++;
            return last!.Server = new ScriptedSocket("answer"u8.ToArray());
        };
        port.Idle = () =>
        {
            if (last is { } ended)
                Check(ended);

            if (done == Count)
            {
                last = null;
                loop.Stop();
                return;
            }

            // Every eighth is sent again in other pieces, and must get the same answer.
            var repeated = last is { RepeatOf: null } && done % 8 == 0 ? last : null;
            var isGood = repeated is null && done % 100 == 99;
            var script = repeated?.Script ?? (isGood ? [.. good, .. "question"u8] : mutations.Next());
            last = new TestConnection(script, new ScriptedSocket(script, done % 3 == 0 ? 1 + (done % 50) : int.MaxValue), isGood, repeated);
            done++;
            port.Acceptor.Accepted(last.Peer);
        };
        loop.Run();
        TestContext.Current.TestOutputHelper?.WriteLine($"{refused} refused, {connected} connected");
        Assert.Equal(Count, refused + connected);
        Assert.InRange(refused, Count / 2, Count);

        void Check(TestConnection connection)
        {
            // After many that failed their garbage is collected.
            var timers = loop.Timers.Count - (loop.Garbage.Index >= 0 ? 1 : 0);
            Assert.Equal((1, 0, 0), (loop.ActiveCount, timers, agent.SetUps.RentedCount));
            Assert.False(connection.Peer.Aborted);
            Assert.True(connection.Peer.SendEnded);
            if (connection.Server is null)
            {
                refused++;
                Assert.True(MsgDecoder.TryDecode(connection.Peer.Sent.ToArray(), out var error, out var length) && length == connection.Peer.Sent.Count);
                Assert.Contains(Fault.Parse(error).Name, (string[])["InvalidParams", "NotSupported"]);
            }
            else
            {
                Assert.Equal((byte[])[0xc0, .. "answer"u8], connection.Peer.Sent);
                Assert.False(connection.Server.Aborted);
            }

            if (connection.IsGood)
                Assert.Equal("question"u8.ToArray(), connection.Server!.Sent);

            if (connection.RepeatOf is { } other)
            {
                Assert.Equal(other.Peer.Sent, connection.Peer.Sent);
                Assert.Equal(other.Server?.Sent, connection.Server?.Sent);
            }
        }
    }

    [Fact]
    public void Broken_answers_leave_no_operation_pending_in_the_relay()
    {
        Platform.NotUnderWine("It is the same code everywhere, and takes far longer there.");
        byte[] good = [0xc0, .. "answer"u8];
        var error = MsgEncoder.Encode(new MsgMap { ["code"] = -1, ["name"] = "ConnectionRefused", ["message"] = "nothing listens there" });
        var mutations = new Mutations(2, error, [.. error, .. error], MsgEncoder.Encode(new MsgMap { ["code"] = 1, ["name"] = "N", ["message"] = new string('m', 5000), ["index"] = 3 }));
        using var port = new ScriptedPort();
        var loop = new IoLoop(port);
        Assert.True(RelayTarget.TryParse("tcp:127.0.0.1:1", out var target, out _));
        var table = new PortTable(loop, RelayTargetEndpoint.Resolve(target), GuestProtocol.Relay, allowRemote: false, Log);
        table.Map([new PortMapping(IPAddress.Loopback, 4711, 80)]);
        var (done, failed) = (0, 0L);
        TestConnection? last = null;
        port.Server = _ => last!.Server = new ScriptedSocket(last.Script, done % 3 == 0 ? 1 + (done % 50) : int.MaxValue);
        port.Idle = () =>
        {
            if (last is { } ended)
                Check(ended);

            if (done == Count)
            {
                last = null;
                loop.Stop();
                return;
            }

            var isGood = done % 100 == 99;
            last = new TestConnection(isGood ? good : mutations.Next(), new ScriptedSocket("question"u8.ToArray()), isGood, null);
            done++;
            port.Acceptor.Accepted(last.Peer);
        };
        loop.Run();
        TestContext.Current.TestOutputHelper?.WriteLine($"{failed} failed of {done}");
        Assert.InRange(failed, Count / 2, Count);

        void Check(TestConnection connection)
        {
            // Only nil accepts.
            var accepted = connection.Script is [0xc0, ..];
            failed += accepted ? 0 : 1;
            Assert.True(accepted || !connection.IsGood);
            Assert.Equal((1, 0), (loop.ActiveCount, loop.Timers.Count));
            Assert.Equal(!accepted, connection.Peer.Aborted);
            Assert.Equal(!accepted, connection.Server!.Aborted);
            Assert.Equal(accepted ? connection.Script[1..] : [], connection.Peer.Sent);
            Assert.Equal(Preamble.Of(80), connection.Server.Sent[..Preamble.Of(80).Length]);
            if (accepted)
                Assert.Equal("question"u8.ToArray(), connection.Server.Sent[Preamble.Of(80).Length..]);

            if (done % 1000 == 0)
            {
                var status = Assert.Single(table.List()).Status;
                Assert.Equal((done, 0, failed), (status.Accepted, status.Active, status.Failed));
            }
        }
    }

    private sealed record TestConnection(byte[] Script, ScriptedSocket Peer, bool IsGood, TestConnection? RepeatOf)
    {
        public ScriptedSocket? Server { get; set; }
    }
}
