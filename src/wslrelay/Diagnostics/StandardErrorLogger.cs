using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Wslrelay.Diagnostics;

/// <summary>
/// Writes single lines to standard error, from a thread of its own: a parent that does not read them stops nothing but the log. When too many
/// wait, new ones are dropped and counted. For any thread.
/// </summary>
internal sealed class StandardErrorLogger(LogLevel least) : ILogger
{
    private const int MaxWaiting = 1000;

    private readonly Lock _lock = new();
    private readonly Queue<string> _waiting = new();
    private readonly SemaphoreSlim _added = new(0);

    // Opened at once: opening takes a descriptor, and the line that says there is none left must still be written.
    private readonly Stream _error = Console.OpenStandardError();
    private Thread? _writer;
    private int _dropped;
    private int _unwritten;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        string text = exception is null ? formatter(state, null) : $"{formatter(state, exception)}: {exception}";
        string word = logLevel switch
        {
            LogLevel.Warning => "warning",
            LogLevel.Error or LogLevel.Critical => "error",
            LogLevel.Information => "information",
            _ => "debug",
        };
        Enqueue($"{DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)} wslrelay {word}: {OneLine(text)}");
    }

    /// <summary>Waits until everything is written, but not for long: the reader may have stopped reading.</summary>
    public void Flush(int milliseconds)
    {
        long end = Environment.TickCount64 + milliseconds;
        while (Volatile.Read(ref _unwritten) > 0 && Environment.TickCount64 < end)
        {
            Thread.Sleep(1);
        }
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" | ");

    private void Enqueue(string line)
    {
        lock (_lock)
        {
            if (_waiting.Count >= MaxWaiting)
            {
                _dropped++;
                return;
            }

            if (_dropped > 0)
            {
                line = $"({_dropped} lines lost)\n{line}";
                _dropped = 0;
            }

            _waiting.Enqueue(line + "\n");
            _unwritten++;
            if (_writer is null)
            {
                _writer = new Thread(Write, 256 * 1024) { IsBackground = true, Name = "log" };
                _writer.Start();
            }
        }

        _added.Release();
    }

    private void Write()
    {
        while (true)
        {
            _added.Wait();
            string line;
            lock (_lock)
            {
                line = _waiting.Dequeue();
            }

            try
            {
                _error.Write(Encoding.UTF8.GetBytes(line));
            }
            catch (Exception)
            {
                // Nobody reads it any more, or there is no room: nothing that the log meets may end the relay.
            }

            Interlocked.Decrement(ref _unwritten);
        }
    }
}
