using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.Tests.Io;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Sandbox;

/// <summary>Where a sandbox refuses a system call or /proc, only speed is lost.</summary>
public sealed class SandboxTests(RefusedCalls refused) : IClassFixture<RefusedCalls>
{
    private const int EPERM = 1;
    private const int EACCES = 13;
    private const int ENOSYS = 38;
    private const int Size = 3_000_000;
    private const int Count = 8;

    [Theory]
    [InlineData("splice", EPERM)]
    [InlineData("io_uring_setup", EPERM)]
    [InlineData("io_uring_enter", EPERM)]
    [InlineData("pipe2", EPERM)]
    [InlineData("accept4", EPERM)]
    [InlineData("splice,io_uring_setup,accept4,statx", EPERM)]
    [InlineData("splice,io_uring_setup,accept4,statx", EACCES)]
    [InlineData("splice,io_uring_setup,accept4,statx", ENOSYS)]
    public async Task A_relay_that_is_refused_calls_relays(string calls, int errno)
    {
        Platform.OnLinuxOnly("seccomp is Linux's.");
        await AssertRelaysAsync(refused.Wrap(calls, errno));
    }

    [Fact]
    public async Task A_relay_without_proc_relays()
    {
        Platform.OnLinuxOnly("/proc is Linux's.");
        await AssertRelaysAsync(["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"]);
    }

    [Theory]
    [InlineData(EPERM)]
    [InlineData(EACCES)]
    [InlineData(ENOSYS)]
    public async Task An_agent_that_is_refused_statx_replaces_a_stale_socket_and_deletes_its_own(int errno)
    {
        using var link = GuestLink.Create("unix");
        await using (var first = await AgentUnderTest.StartAsync(link))
        {
            first.Process.Kill();
            await first.ExitAsync();
        }

        await using var second = await AgentUnderTest.StartCommandAsync(
            [.. refused.Wrap("statx,flock", errno), RelayProgram.Path, "guest", "--listen", link.ListenText]);
        Libc.Kill(second.Process.Id, Libc.SIGTERM);
        Assert.Equal(0, await second.ExitAsync());
        Assert.False(File.Exists(link.Path));
    }

    private static async Task AssertRelaysAsync(string[] wrapper)
    {
        var content = Pattern.Bytes(Size);
        await using var bulk = GuestServer.Content(content);
        await using var echo = GuestServer.Echo();
        using var forward = RelayProgram.Start(["forward", $"127.0.0.1:0:{bulk.Port}", $"127.0.0.1:0:{echo.Port}"], wrapper);
        try
        {
            Mapping[] mappings = [await ReadMappingAsync(forward), await ReadMappingAsync(forward)];
            await mappings[1].AssertEchoAsync();
            await Task.WhenAll(Enumerable.Range(0, Count).Select(async _ =>
            {
                using Socket client = await mappings[0].ConnectAsync();

                // Until the buffers are full, so that the next receives are large.
                await Limits.PauseAsync(100);
                Assert.True((await client.ReceiveToEndAsync()).AsSpan().SequenceEqual(content));
            }));
            await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => mappings[1].AssertEchoAsync()));
            Libc.Kill(forward.Id, Libc.SIGTERM);
            await forward.WaitForExitAsync().WaitAsync(Limits.HangTimeout);

            // Without pipe2 the runtime handles no signals, and SIGTERM ends the program by itself.
            Assert.Equal(wrapper.Contains("pipe2") ? 128 + Libc.SIGTERM : 0, forward.ExitCode);
        }
        finally
        {
            if (!forward.HasExited)
                forward.Kill();
        }
    }

    private static async Task<Mapping> ReadMappingAsync(System.Diagnostics.Process forward)
    {
        var line = await forward.StandardOutput.ReadLineAsync().WaitAsync(Limits.HangTimeout);
        if (line is null)
        {
            string error = await forward.StandardError.ReadToEndAsync().WaitAsync(Limits.HangTimeout);

            // A runtime that is not part of the program fails before the program starts.
            Assert.SkipWhen(error.StartsWith("Failed to create CoreCLR", StringComparison.Ordinal), "Only the native program starts so.");
            Assert.Fail(error);
        }

        return new Mapping("tcp", 4, "127.0.0.1", int.Parse(line.Split(':', '/')[1]), 1);
    }
}
