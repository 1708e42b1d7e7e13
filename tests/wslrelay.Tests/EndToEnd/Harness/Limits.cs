using System.Diagnostics;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>How long the tests wait: generous, for shared machines; only the contract's own times are held exactly.</summary>
internal static class Limits
{
    /// <summary>Longer than anything that works can take: a wait that reaches it is a hang.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    /// <summary>The same for a large transfer.</summary>
    public static readonly TimeSpan Transfer = TimeSpan.FromSeconds(180);

    /// <summary>How long nothing must happen before a test believes that nothing will.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    /// <summary>The contract's own: the relay is gone so soon after what ends it. Wine ends a process with a thousand sockets no faster.</summary>
    public static readonly TimeSpan End = TimeSpan.FromSeconds(Platform.IsWine ? 5 : 1);

    /// <summary>Lets time pass in which something must not happen.</summary>
    public static Task PauseAsync(int? milliseconds = null) => Task.Delay(milliseconds ?? (int)Quiet.TotalMilliseconds);

    /// <summary>Asserts that what began with the clock ended within <see cref="End"/>.</summary>
    public static void AssertEnded(Stopwatch clock)
    {
        var elapsed = clock.Elapsed;
        TestContext.Current.TestOutputHelper?.WriteLine($"ended after {elapsed.TotalMilliseconds:F0} ms");
        Assert.InRange(elapsed, TimeSpan.Zero, End);
    }

    /// <summary>Polls until <paramref name="condition"/> holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var deadline = DateTime.UtcNow + Hang;
        while (!await condition())
        {
            if (DateTime.UtcNow > deadline)
            {
                throw new TimeoutException($"Not within {Hang.TotalSeconds} s: {what}");
            }

            await Task.Delay(10);
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}}, string)"/>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);
}
