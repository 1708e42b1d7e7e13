using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Wslrelay.Diagnostics;

/// <summary>
/// Writes single lines to standard error from its own thread: a parent that does not read them holds up the log and nothing else. When too many lines
/// wait, new ones are dropped and counted. For any thread.
/// </summary>
internal sealed class StandardErrorLogger : ILogger
{
    private const int MaxWaiting = 1000;

    private readonly LogLevel _minLevel;
    private readonly Lock _lock = new();
    private readonly Queue<string> _waiting = new();
    private readonly SemaphoreSlim _added = new(0);
    private int _dropped;
    private int _unwritten;

    /// <summary>Starts the thread now: the message that the process is out of handles must not need one.</summary>
    internal StandardErrorLogger(LogLevel minLevel)
    {
        _minLevel = minLevel;
        if (minLevel != LogLevel.None)
        {
            new Thread(Write, 256 * 1024) { IsBackground = true, Name = "log" }.Start();
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= _minLevel && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        string text = exception is null ? formatter(state, null) : $"{formatter(state, exception)}: {exception}";
        string level = logLevel switch
        {
            LogLevel.Warning => "warning",
            LogLevel.Error or LogLevel.Critical => "error",
            LogLevel.Information => "information",
            _ => "debug",
        };
        Enqueue($"{DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)} wslrelay {level}: {text.ReplaceLineEndings(" | ")}");
    }

    /// <summary>Waits until everything is written, at most so long: the reader may have stopped reading.</summary>
    internal void Flush(int milliseconds)
    {
        long end = Environment.TickCount64 + milliseconds;
        while (Volatile.Read(ref _unwritten) > 0 && Environment.TickCount64 < end)
        {
            Thread.Sleep(1);
        }
    }

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
