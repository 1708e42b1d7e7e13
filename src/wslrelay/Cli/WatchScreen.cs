using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// <c>forward --watch</c>: draws the table of the mappings in the terminal, once a second and when the terminal's size changes. It has the terminal's second
/// screen, so that the first is as it was at the end; a terminal without escape sequences gets the table anew when it has changed. Loop thread only.
/// </summary>
internal sealed class WatchScreen : IDisposable
{
    private const int IntervalMilliseconds = 1000;

    // A terminal that was stopped (Ctrl+S) must not keep the program alive.
    private const int MaxEndMilliseconds = 300;

    // The alternate screen without a cursor (xterm's control sequences), and the way back.
    private const string Enter = "\e[?1049h\e[?25l";
    private const string Leave = "\e[0m\e[?25h\e[?1049l";

    private static readonly bool HasColors = Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    private readonly LoopHost _host;
    private readonly PortTable _table;
    private readonly WatchTable _lines;
    private readonly ActionTimer _timer;
    private readonly bool _hasEscapes = StandardStream.Output.UseEscapes();
    private readonly List<PosixSignalRegistration> _signals = [];
    private long _drawn = Stopwatch.GetTimestamp();
    private string _shown = "";
    private bool _ending;

    internal WatchScreen(LoopHost host, PortTable table, RelayTarget target, AutoMapper mapper)
    {
        (_host, _table, _lines) = (host, table, new WatchTable(target, mapper.ProgramOf));
        _timer = new ActionTimer(Draw);
        host.Stop = _ => End();
        host.Loop.Post(Draw);
        if (!_hasEscapes)
            return;

        Write(Enter);
        if (OperatingSystem.IsWindows())
            return;

        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => host.Loop.Post(Draw)));

        // Ctrl+Z: the shell gets its screen back until the program goes on.
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, static _ => StandardStream.Output.Write(Encoding.UTF8.GetBytes(Leave))));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => host.Loop.Post(() =>
        {
            Write(Enter);
            Draw();
        })));
    }

    public void Dispose() => _signals.ForEach(static signal => signal.Dispose());

    private void Draw()
    {
        _host.Loop.Timers.Start(_timer, IntervalMilliseconds);

        // A terminal that is slow misses a frame. One that is gone has no size; its SIGHUP ends the program.
        if (_ending || _host.Output.Backlog > 0 || StandardStream.Output.TerminalSize is not { } size)
            return;

        double seconds = Stopwatch.GetElapsedTime(_drawn).TotalSeconds;
        _drawn = Stopwatch.GetTimestamp();
        WatchLine[] lines = _lines.Draw(Array.ConvertAll(_table.List(), static port => port.Status), seconds, size.Columns, _hasEscapes ? size.Rows : int.MaxValue);
        string text = _hasEscapes
            ? $"\e[H{string.Join("\r\n", lines.Select(Styled))}\e[J"
            : string.Concat(lines.Select(static line => $"{line.Text}\n")) + "\n";
        if (_hasEscapes || text != _shown)
            Write(text);

        _shown = text;
    }

    private static string Styled(WatchLine line)
    {
        string style = line.Style switch
        {
            WatchStyle.Heading => "\e[1m",
            WatchStyle.Active when HasColors => "\e[32m",
            WatchStyle.Failing when HasColors => "\e[31m",
            _ => "",
        };

        // The rest is erased before, not after: the cursor may stand on the last column.
        return $"\e[2K{style}{line.Text}\e[0m";
    }

    private void Write(string text)
    {
        _host.Output.Writer.Write(Encoding.UTF8.GetBytes(text));
        _host.Output.Flush();
    }

    private void End()
    {
        if (_ending)
            return;

        _ending = true;
        _host.Loop.Timers.Stop(_timer);
        if (_hasEscapes)
            Write(Leave);

        _host.Output.Progress = StopWhenWritten;
        _host.Loop.Timers.Start(new ActionTimer(_host.Loop.Stop), MaxEndMilliseconds);
        StopWhenWritten();
    }

    private void StopWhenWritten()
    {
        if (_host.Output.Backlog == 0)
            _host.Loop.Stop();
    }
}
