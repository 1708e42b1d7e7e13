using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Wslrelay.TestTools;
using Xunit;

namespace RelayProtocol.Tests;

/// <summary>The Windows launcher, with the command interpreter as the child.</summary>
public sealed class WindowsProcessLauncherTests : IDisposable
{
    private readonly SafeHandle? _exit = OperatingSystem.IsWindows() ? Platform.Current.CreateExitEvent() : null;

    public static bool IsWindows => OperatingSystem.IsWindows();

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public void Dispose() => _exit?.Dispose();

    private ChildProcess Start(string script, RelayStandardError error = RelayStandardError.Discard) => Wine.Start(() => Platform.Current.Start(new ChildStart(
        Path.Combine(Environment.SystemDirectory, "cmd.exe"), _exit!, _ => ["/d", "/c", script], error)));

    private static async Task<string> ReadToEnd(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        return (await reader.ReadToEndAsync(Soon)).Trim();
    }

    [Fact(Skip = "Windows only", SkipUnless = nameof(IsWindows))]
    public async Task Output_error_and_exit_code_come_back()
    {
        using ChildProcess child = Start("echo out& echo err>&2& exit 3", RelayStandardError.Pipe);
        Assert.Equal("out", await ReadToEnd(child.Output));
        Assert.Equal("err", await ReadToEnd(child.Error!));
        Assert.Equal(3, await child.Exited.WaitAsync(Soon));
        child.Kill();
    }

    [Fact(Skip = "Windows only", SkipUnless = nameof(IsWindows))]
    public async Task The_end_of_input_reaches_the_child()
    {
        using ChildProcess child = Start("set /p x=& exit 5");
        await Task.Delay(200, Soon);
        Assert.False(child.Exited.IsCompleted);
        await child.Input.DisposeAsync();
        Assert.Equal(5, await child.Exited.WaitAsync(Soon));
    }

    [Fact(Skip = "Windows only", SkipUnless = nameof(IsWindows))]
    public async Task A_killed_child_is_end_of_file()
    {
        using ChildProcess child = Start("echo up& set /p x=");
        // It has begun: a console that is still being made for it would also hold its output for a while.
        byte[] up = new byte[4];
        await child.Output.ReadExactlyAsync(up, Soon);
        Assert.Equal("up\r\n", Encoding.UTF8.GetString(up));
        Task<string> reading = ReadToEnd(child.Output);
        await Task.Delay(200, Soon);
        Assert.False(reading.IsCompleted);
        child.Kill();
        Assert.Equal("", await reading);
        Assert.Equal(1, await child.Exited.WaitAsync(Soon));
    }

    [Fact(Skip = "Windows only", SkipUnless = nameof(IsWindows))]
    public async Task The_jobs_end_is_the_childs()
    {
        // A loop without end that reads nothing: it is not the end of its input that ends it.
        ChildProcess child = Start("for /L %i in (0,0,1) do @rem");
        await Task.Delay(200, Soon);
        Assert.False(child.Exited.IsCompleted);
        child.Dispose();
        await child.Exited.WaitAsync(Soon);
    }

    [Fact(Skip = "Windows only", SkipUnless = nameof(IsWindows))]
    public async Task A_dead_relay_fails_the_calls_at_once()
    {
        var info = new RelayStartInfo(Path.Combine(Environment.SystemDirectory, "cmd.exe")) { StandardError = RelayStandardError.Discard };
        await using RelayProcess relay = Wine.Start(() => RelayProcess.Start(info, n => ["/d", "/c", "set /p x=& exit 2"]));
        RelayDisconnectedException thrown = await Assert.ThrowsAsync<RelayDisconnectedException>(async () =>
        {
            Task call = relay.Client.ListAsync(Soon);
            relay.CloseInput();
            await call;
        });
        Assert.Equal(2, thrown.ExitCode);
    }

    [Fact(Skip = "Windows only", SkipUnless = nameof(IsWindows))]
    public async Task Disposing_kills_what_does_not_end()
    {
        var info = new RelayStartInfo(Path.Combine(Environment.SystemDirectory, "cmd.exe"))
        {
            StandardError = RelayStandardError.Discard,
            Drain = TimeSpan.FromMilliseconds(200),
            ExitTimeout = TimeSpan.FromMilliseconds(100),
        };
        RelayProcess relay = Wine.Start(() => RelayProcess.Start(info, _ => ["/d", "/c", "for /L %i in (0,0,1) do @rem"]));
        var watch = Stopwatch.StartNew();
        await relay.DisposeAsync();
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(250), TimeSpan.MaxValue);
        Assert.Equal(1, await relay.WaitForExitAsync(Soon));
    }

    [Fact(Skip = "Windows only", SkipUnless = nameof(IsWindows))]
    public void A_missing_program_is_named() =>
        Assert.Equal(@"C:\no\such.exe", Assert.Throws<FileNotFoundException>(() => RelayProcess.Start(new RelayStartInfo(@"C:\no\such.exe"))).FileName);
}
