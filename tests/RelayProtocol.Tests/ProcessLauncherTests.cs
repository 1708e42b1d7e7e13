using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Xunit;

namespace RelayProtocol.Tests;

/// <summary>The Linux launcher, with real programs as children.</summary>
public sealed class ProcessLauncherTests : IDisposable
{
    private readonly SafeHandle? _exit = OperatingSystem.IsLinux() ? Platform.Current.CreateExitEvent() : null;

    public static bool IsLinux => OperatingSystem.IsLinux();

    private static CancellationToken Deadline => FakeRelay.Deadline;

    public void Dispose() => _exit?.Dispose();

    private ChildProcess Start(string program, params string[] arguments) => Start(program, RelayStandardError.Inherit, arguments);

    private ChildProcess Start(string program, RelayStandardError error, params string[] arguments) =>
        Platform.Current.Start(new ChildStart(program, _exit!, _ => arguments, error));

    private static async Task<string> ReadToEnd(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        return await reader.ReadToEndAsync(Deadline);
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task Bytes_go_in_and_come_out_and_the_end_of_input_ends_the_child()
    {
        using ChildProcess child = Start("/bin/cat");
        byte[] data = new byte[300_000];
        Random.Shared.NextBytes(data);
        Task<byte[]> reading = ReadAll(child.Output);
        await child.Input.WriteAsync(data, Deadline);
        await child.Input.DisposeAsync();
        Assert.Equal(data, await reading);
        Assert.Equal(0, await child.Exited.WaitAsync(Deadline));

        static async Task<byte[]> ReadAll(Stream stream)
        {
            using var all = new MemoryStream();
            await stream.CopyToAsync(all, Deadline);
            return all.ToArray();
        }
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task The_child_has_descriptors_0_to_3_and_no_other()
    {
        // An inheritable descriptor that the relay does not need: dup clears the close-on-exec flag.
        using FileStream unrelated = File.OpenRead("/dev/zero");
        int inheritable = NativeMethods.dup((int)unrelated.SafeFileHandle.DangerousGetHandle());
        try
        {
            using ChildProcess child = Start("/bin/ls", "-l", "/proc/self/fd");
            // Lines end in "3 -> anon_inode:[eventfd]". One more is the folder that ls itself has opened to list it.
            string[] listing = [.. (await ReadToEnd(child.Output)).Split('\n').Where(l => l.Contains(" -> ", StringComparison.Ordinal))
                .Select(l => string.Join(' ', l.Split(' ')[^3..])).Where(l => !l.EndsWith($"/{child.Id}/fd", StringComparison.Ordinal))];
            Assert.Equal(["0", "1", "2", "3"], listing.Select(l => l.Split(' ')[0]));
            Assert.StartsWith("0 -> pipe:", listing[0], StringComparison.Ordinal);
            Assert.StartsWith("1 -> pipe:", listing[1], StringComparison.Ordinal);
            Assert.Equal("3 -> anon_inode:[eventfd]", listing[3]);
        }
        finally
        {
            Assert.Equal(0, NativeMethods.close(inheritable));
        }
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public void The_parent_has_its_own_end_of_each_pipe_and_not_the_childs()
    {
        using ChildProcess child = Start("/bin/cat", RelayStandardError.Pipe);
        // Checked right after the start: a copy that was never closed would be closed by the next garbage collection.
        string?[] ours = [.. Directory.GetFiles("/proc/self/fd").Select(Target)];
        for (int descriptor = 0; descriptor <= 2; descriptor++)
        {
            string pipe = File.ResolveLinkTarget($"/proc/{child.Id}/fd/{descriptor}", false)!.Name;
            Assert.StartsWith("pipe:", pipe, StringComparison.Ordinal);
            Assert.Single(ours, pipe);
        }
        child.Kill();
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task The_childs_standard_error_goes_to_the_given_file()
    {
        using ChildProcess piped = Start("/bin/sh", RelayStandardError.Pipe, "-c", "echo out; echo err >&2");
        Assert.Equal("err\n", await ReadToEnd(piped.Error!));
        Assert.Equal("out\n", await ReadToEnd(piped.Output));
        using ChildProcess discarded = Start("/bin/sh", RelayStandardError.Discard, "-c", "readlink /proc/$$/fd/2");
        Assert.Equal("/dev/null\n", await ReadToEnd(discarded.Output));
        Assert.Null(discarded.Error);
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task No_signal_is_blocked_or_ignored_in_the_child()
    {
        // .NET ignores SIGPIPE in this process; if the child inherited that, yes would not be ended by it.
        using ChildProcess child = Start("/bin/sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status");
        string status = await ReadToEnd(child.Output);
        Assert.Contains("SigBlk:\t0000000000000000", status, StringComparison.Ordinal);
        ulong ignored = ulong.Parse(
            status.Split("SigIgn:\t")[1].Trim(), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(0UL, ignored & (1UL << (13 - 1)));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task The_exit_event_is_readable_in_the_child_once_signalled()
    {
        // A read of a non-blocking eventfd takes its count, or fails: the first child has seen nothing, the second takes it.
        using ChildProcess child = Start("/bin/sh", "-c", "dd bs=8 count=1 <&3 2>/dev/null | od -An -tu8");
        Assert.Equal("", (await ReadToEnd(child.Output)).Trim());
        Platform.Current.Signal(_exit!);
        using ChildProcess after = Start("/bin/sh", "-c", "dd bs=8 count=1 <&3 2>/dev/null | od -An -tu8");
        Assert.Equal("1", (await ReadToEnd(after.Output)).Trim());
    }

    [Theory(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    [InlineData("exit 0", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("exit 255", 255)]
    [InlineData("kill -TERM $$", -15)]
    [InlineData("kill -KILL $$", -9)]
    public async Task The_exit_code_is_the_childs_or_minus_the_signal(string script, int expected)
    {
        using ChildProcess child = Start("/bin/sh", "-c", script);
        Assert.Equal(expected, await child.Exited.WaitAsync(Deadline));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task A_killed_child_is_end_of_file_and_leaves_no_zombie()
    {
        using ChildProcess child = Start("/bin/cat");
        Assert.True(Directory.Exists($"/proc/{child.Id}"));
        ValueTask<int> read = child.Output.ReadAsync(new byte[1], Deadline);
        Assert.False(read.IsCompleted);
        child.Kill();
        Assert.Equal(0, await read);
        Assert.Equal(-9, await child.Exited.WaitAsync(Deadline));
        Assert.False(Directory.Exists($"/proc/{child.Id}"));
        child.Kill(); // has no effect, and signals no process that has the number now
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task A_read_can_be_cancelled_and_the_stream_stays_usable()
    {
        using ChildProcess child = Start("/bin/cat");
        using var cancel = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await child.Output.ReadExactlyAsync(new byte[1], cancel.Token));
        await child.Input.WriteAsync("x"u8.ToArray(), Deadline);
        await child.Output.ReadExactlyAsync(new byte[1], Deadline);
        child.Kill();
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task The_environment_and_arguments_with_special_characters_are_passed_on()
    {
        Environment.SetEnvironmentVariable("WSLRELAY_TEST", "ä = b");
        using ChildProcess child = Start("/bin/sh", "-c", "printf '%s|' \"$WSLRELAY_TEST\" \"$@\"", "sh", "", "a b", "\"q\"", "\\", "é\n");
        Assert.Equal("ä = b||a b|\"q\"|\\|é\n|", await ReadToEnd(child.Output));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public void A_program_that_cannot_be_started_is_named()
    {
        FileNotFoundException missing = Assert.Throws<FileNotFoundException>(() => Start("/no/such/program"));
        Assert.Equal("/no/such/program", missing.FileName);
        Assert.Contains("/no/such/program", missing.Message, StringComparison.Ordinal);
        string notExecutable = Path.GetTempFileName();
        Win32Exception refused = Assert.Throws<Win32Exception>(() => Start(notExecutable));
        File.Delete(notExecutable);
        Assert.Equal($"cannot start '{notExecutable}': Permission denied", refused.Message);
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task Two_hundred_starts_leak_no_descriptor()
    {
        await Round(10);
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        await Round(200);
        Assert.Throws<FileNotFoundException>(() => Start("/no/such/program", RelayStandardError.Pipe));
        int after = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        // Tests run in parallel in this process, so a few may be opened and closed; a leak would be 200 at least.
        Assert.InRange(after, 0, before + 60);

        async Task Round(int count)
        {
            for (int i = 0; i < count; i++)
            {
                using ChildProcess child = Start("/bin/true", RelayStandardError.Pipe);
                Assert.Equal(0, await child.Exited.WaitAsync(Deadline));
            }
        }
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task Children_of_System_Diagnostics_Process_are_not_affected()
    {
        using var other = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "sleep 0.2; exit 7"]))!;
        ChildProcess[] children = [.. Enumerable.Range(0, 20).Select(i => Start("/bin/sh", "-c", $"exit {i}"))];
        for (int i = 0; i < children.Length; i++)
        {
            Assert.Equal(i, await children[i].Exited.WaitAsync(Deadline));
            children[i].Dispose();
        }
        await other.WaitForExitAsync(Deadline);
        Assert.Equal(7, other.ExitCode);
    }

    // Null for a descriptor that a thread of the test runner's has closed since it was listed.
    private static string? Target(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, false)?.Name;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
