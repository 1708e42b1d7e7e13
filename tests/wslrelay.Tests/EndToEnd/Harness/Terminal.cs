using System.Text.RegularExpressions;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>The program in a terminal, a window of tmux. "before" is printed before its start, and "ended" with the exit code after its end.</summary>
internal sealed class Terminal : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    private Terminal()
    {
    }

    /// <summary>Whether a program uses the alternate screen.</summary>
    public Task<string> IsAlternateAsync => TellAsync("#{alternate_on}");

    public Task<string> IsCursorShownAsync => TellAsync("#{cursor_flag}");

    public static async Task<Terminal> StartAsync(int columns, int rows, string environment, params string[] arguments)
    {
        RequiredTool.Require("/usr/bin/tmux", "tmux", "-V");
        var terminal = new Terminal();

        // A trap, so that Ctrl+C ends the program and not the shell.
        var command = $"trap : INT; echo before; {environment} '{RelayProgram.Path}' {string.Join(' ', arguments)}; echo ended $?; exec sleep 600";
        await terminal.TmuxAsync("-f", "/dev/null", "new-session", "-d", "-x", $"{columns}", "-y", $"{rows}", "/bin/sh", "-c", command);
        return terminal;
    }

    /// <summary>The lines on the screen, without empty ones at the end.</summary>
    public async Task<string[]> ReadAsync() => (await TmuxAsync("capture-pane", "-p")).TrimEnd('\n').Split('\n');

    /// <summary>Waits until one of the lines matches, and returns all.</summary>
    public async Task<string[]> UntilAsync(string pattern)
    {
        string[] screen = [];
        await Limits.UntilAsync(
            async () =>
            {
                screen = await ReadAsync();
                return screen.Any(line => Regex.IsMatch(line, pattern));
            },
            $"'{pattern}' to be on the screen");
        return screen;
    }

    public Task PressAsync(string key) => TmuxAsync("send-keys", key);

    public Task ResizeAsync(int columns, int rows) => TmuxAsync("resize-window", "-x", $"{columns}", "-y", $"{rows}");

    /// <summary>The program's process.</summary>
    public async Task<int> ProcessAsync()
    {
        var shell = await TellAsync("#{pane_pid}");
        return int.Parse((await File.ReadAllTextAsync($"/proc/{shell}/task/{shell}/children")).Trim());
    }

    public async ValueTask DisposeAsync()
    {
        await TmuxAsync("kill-server");
        _folder.Dispose();
    }

    private async Task<string> TellAsync(string format) => (await TmuxAsync("display-message", "-p", format)).Trim();

    private async Task<string> TmuxAsync(params string[] arguments)
    {
        var run = await ProgramRun.OfAsync(["/usr/bin/tmux", "-S", Path.Combine(_folder.Path, "tmux"), .. arguments]);
        Assert.True(run.ExitCode == 0, run.Error);
        return run.Output;
    }
}
