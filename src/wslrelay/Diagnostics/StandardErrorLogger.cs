using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Wslrelay.Diagnostics;

/// <summary>
/// Writes single lines to standard error, from a thread of its own: a parent that does not read them stops nothing but the log. When too many
/// wait, new ones are dropped and counted. For any thread.
/// </summary>
internal sealed class StandardErrorLogger : ILogger
{
    private const int MaxWaiting = 1000;

    private readonly LogLevel _least;
    private readonly Lock _lock = new();
    private readonly Queue<string> _waiting = new();
    private readonly SemaphoreSlim _added = new(0);
    private int _dropped;
    private int _unwritten;

    /// <summary>Starts the thread at once: the line that says that there are no handles left must not need one.</summary>
    internal StandardErrorLogger(LogLevel least)
    {
        _least = least;
        if (least != LogLevel.None)
        {
            new Thread(Write, 256 * 1024) { IsBackground = true, Name = "log" }.Start();
        }
    }

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= _least && logLevel != LogLevel.None;

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

            StandardError.Write(line);
            Interlocked.Decrement(ref _unwritten);
        }
    }
}
