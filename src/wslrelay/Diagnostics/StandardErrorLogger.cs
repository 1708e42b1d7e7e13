using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Wslrelay.Diagnostics;

/// <summary>
/// Writes single lines to standard error from its own thread: a parent that does not read them holds up the log and nothing else. A message that is repeated is
/// written once, and then once a second with the number of repetitions. When too many lines wait, new ones are dropped and counted. For any thread.
/// </summary>
internal sealed class StandardErrorLogger : ILogger
{
    private const int MaxWaiting = 1000;
    private const int RepeatMilliseconds = 1000;

    private readonly LogLevel _minLevel;

    // Guards everything below; pulsed when a line is added, and when the last one has been written.
    private readonly object _lock = new();
    private readonly Queue<string> _waiting = new();
    private readonly Dictionary<string, Repetition> _recent = [];
    private long _nextScan;
    private int _dropped;
    private bool _writing;

    /// <summary>Starts the thread now: the message that the process is out of handles must not need one.</summary>
    internal StandardErrorLogger(LogLevel minLevel)
    {
        _minLevel = minLevel;
        if (minLevel != LogLevel.None)
            new Thread(Write, 256 * 1024) { IsBackground = true, Name = "log" }.Start();
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= _minLevel && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;

        string text = exception is null ? formatter(state, null) : $"{formatter(state, exception)}: {exception}";
        string level = $"{logLevel}".ToLowerInvariant();
        string message = $"{level}: {text.ReplaceLineEndings(" | ")}";
        lock (_lock)
        {
            if (_recent.TryGetValue(message, out Repetition? repetition))
            {
                repetition.Count++;
                return;
            }

            if (_recent.Count < MaxWaiting)
                _recent.Add(message, new Repetition { Due = Environment.TickCount64 + RepeatMilliseconds });

            Enqueue(message);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until everything is written, at most so long: the reader may have stopped reading.</summary>
    internal void Flush(int milliseconds)
    {
        long end = Environment.TickCount64 + milliseconds;
        lock (_lock)
        {
            EnqueueRepetitions(long.MaxValue);
            Monitor.PulseAll(_lock);
            while ((_waiting.Count > 0 || _writing) && end - Environment.TickCount64 is > 0 and var left)
                Monitor.Wait(_lock, (int)left);
        }
    }

    private void Enqueue(string message)
    {
        if (_waiting.Count >= MaxWaiting)
        {
            _dropped++;
            return;
        }

        string lost = _dropped > 0 ? $"({_dropped} lines lost)\n" : "";
        _dropped = 0;
        _waiting.Enqueue($"{lost}{DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)} wslrelay {message}\n");
    }

    // Those that are due and were repeated are written and wait for the next second; the others are forgotten.
    private void EnqueueRepetitions(long now)
    {
        if (now < _nextScan)
            return;

        _nextScan = Environment.TickCount64 + (RepeatMilliseconds / 4);
        foreach ((string message, Repetition repetition) in _recent)
        {
            if (repetition.Due > now)
                continue;

            if (repetition.Count == 0)
            {
                _recent.Remove(message);
                continue;
            }

            Enqueue($"{message} ({repetition.Count} more times)");
            repetition.Count = 0;
            repetition.Due = Environment.TickCount64 + RepeatMilliseconds;
        }
    }

    private void Write()
    {
        while (true)
        {
            string line;
            lock (_lock)
            {
                _writing = false;
                EnqueueRepetitions(Environment.TickCount64);
                while (_waiting.Count == 0)
                {
                    Monitor.PulseAll(_lock);
                    Monitor.Wait(_lock, _recent.Count > 0 ? RepeatMilliseconds : Timeout.Infinite);
                    EnqueueRepetitions(Environment.TickCount64);
                }

                line = _waiting.Dequeue();
                _writing = true;
            }

            StandardError.Write(line);
        }
    }

    private sealed class Repetition
    {
        internal long Due { get; set; }

        internal int Count { get; set; }
    }
}
