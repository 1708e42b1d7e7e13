using System.Diagnostics;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// How long the tests wait. No verdict depends on how fast the machine is: a deadline only ends a hang, and the contract's own times are measured
/// without what the machine's load adds to them.
/// </summary>
internal static class Limits
{
    /// <summary>Longer than anything that works can take: a wait that reaches it is a hang.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(120);

    /// <summary>The same for a large transfer.</summary>
    public static readonly TimeSpan Transfer = TimeSpan.FromSeconds(600);

    /// <summary>A time in which something has the opportunity to go wrong. What is right stays so however long it is.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    /// <summary>The contract's own: the relay is gone so soon after what ends it. Wine ends a process with a thousand sockets no faster.</summary>
    public static readonly TimeSpan End = TimeSpan.FromSeconds(Platform.IsWine ? 5 : 1);

    /// <summary>Lets time pass in which something must not happen.</summary>
    public static Task PauseAsync(int? milliseconds = null) => Task.Delay(milliseconds ?? (int)Quiet.TotalMilliseconds);

    /// <summary>
    /// Asserts that a process ends within <see cref="End"/> of <paramref name="cause"/>, or of <paramref name="wait"/> after it. The time is that at
    /// which it was last seen running, less what it waited for a processor until then: on a busy machine it is late by no fault of its own.
    /// </summary>
    public static async Task AssertEndsInTimeAsync(int process, Action cause, TimeSpan wait = default)
    {
        var queuedBefore = ProcessFigures.QueuedTime(process);
        var (ran, queued) = (TimeSpan.Zero, TimeSpan.Zero);
        using var handle = OperatingSystem.IsWindows() ? Process.GetProcessById(process) : null;
        var clock = Stopwatch.StartNew();
        cause();
        while (clock.Elapsed is var now && (handle is null ? ProcessFigures.IsRunning(process) : !handle.HasExited))
        {
            Assert.True(now < Hang, $"Process {process} still runs.");
            (ran, queued) = (now, TimeSpan.FromTicks(Math.Max(queued.Ticks, (ProcessFigures.QueuedTime(process) - queuedBefore).Ticks)));
            await Task.Delay(1);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"ran for {ran.TotalMilliseconds:F0} ms, {queued.TotalMilliseconds:F0} of them without a processor");
        Assert.InRange(ran - queued, TimeSpan.MinValue, wait + End);
    }

    /// <summary>Asserts that what takes a time of the contract took no less, and not much more.</summary>
    public static void AssertTook(Stopwatch clock, double seconds) =>
        Assert.InRange(clock.Elapsed.TotalSeconds, seconds - 0.1, seconds + 20);

    /// <summary>
    /// Waits until processes do nothing for a while, as they must once nothing happens: one that spins never does. What they do after their work
    /// (the runtime compiles what is used much) may take its time.
    /// </summary>
    public static Task UntilIdleAsync(params Process[] processes) => UntilAsync(
        async () =>
        {
            var before = processes.Select(ProcessFigures.BusyTime).ToArray();
            await Task.Delay(Quiet);
            return processes.Zip(before, (process, busy) => ProcessFigures.BusyTime(process) - busy).All(busy => busy < Quiet / 10);
        },
        "idle processes");

    /// <summary>Polls until <paramref name="condition"/> holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var deadline = DateTime.UtcNow + Hang;
        while (!await condition())
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"Not within {Hang.TotalSeconds} s: {what}");

            await Task.Delay(10);
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}}, string)"/>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);
}
