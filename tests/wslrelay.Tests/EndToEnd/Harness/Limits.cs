using System.Diagnostics;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// How long the tests wait. No verdict depends on how fast the machine is: a deadline only ends a hang, and the contract's own times are measured
/// without what the machine's load adds to them.
/// </summary>
internal static class Limits
{
    /// <summary>Longer than any step can take: a wait that reaches it is a hang.</summary>
    public static readonly TimeSpan HangTimeout = TimeSpan.FromSeconds(120);

    /// <summary>The same for a large transfer.</summary>
    public static readonly TimeSpan TransferTimeout = TimeSpan.FromSeconds(600);

    /// <summary>A pause in which something that must not happen could happen. No test passes because it is short.</summary>
    public static readonly TimeSpan QuietPeriod = TimeSpan.FromMilliseconds(300);

    /// <summary>The contract's limit for the relay's exit. Wine ends a process with a thousand sockets no faster.</summary>
    public static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(Platform.IsWine ? 5 : 1);

    /// <summary>Lets time pass in which something must not happen.</summary>
    public static Task PauseAsync(int? milliseconds = null) => Task.Delay(milliseconds ?? (int)QuietPeriod.TotalMilliseconds);

    /// <summary>
    /// Asserts that a process ends within <see cref="ExitTimeout"/> of <paramref name="cause"/>, or of <paramref name="wait"/> after it. The time is that at
    /// which it was last seen running, less the time for which it waited for a processor, which depends on the machine's load.
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
            Assert.True(now < HangTimeout, $"Process {process} still runs.");
            (ran, queued) = (now, TimeSpan.FromTicks(Math.Max(queued.Ticks, (ProcessFigures.QueuedTime(process) - queuedBefore).Ticks)));
            await Task.Delay(1);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"ran for {ran.TotalMilliseconds:F0} ms, {queued.TotalMilliseconds:F0} of them without a processor");
        Assert.InRange(ran - queued, TimeSpan.MinValue, wait + ExitTimeout);
    }

    /// <summary>Asserts that a time given by the contract was kept: no less, and not much more.</summary>
    public static void AssertTook(Stopwatch clock, double seconds) =>
        Assert.InRange(clock.Elapsed.TotalSeconds, seconds - 0.1, seconds + 20);

    /// <summary>
    /// Waits until processes use no processor time for a while, as they must once nothing happens: one that spins never does. Work that they do later
    /// (the runtime recompiles code that is used much) is waited for.
    /// </summary>
    public static Task UntilIdleAsync(params Process[] processes) => UntilAsync(
        async () =>
        {
            var before = processes.Select(ProcessFigures.BusyTime).ToArray();
            await Task.Delay(QuietPeriod);
            return processes.Zip(before, (process, busy) => ProcessFigures.BusyTime(process) - busy).All(busy => busy < QuietPeriod / 10);
        },
        "idle processes");

    /// <summary>Polls until <paramref name="condition"/> holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var deadline = DateTime.UtcNow + HangTimeout;
        while (!await condition())
        {
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"Not within {HangTimeout.TotalSeconds} s: {what}");

            await Task.Delay(10);
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}}, string)"/>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);
}
