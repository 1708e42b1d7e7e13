using System.Diagnostics;
using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>How many descriptors, on Windows handles, a process had, to assert later that it has no more.</summary>
internal sealed class Descriptors(Process process)
{
    // Some pipes for large transfers are kept for the next connection.
    private const int KeptPipeEnds = 16;

    // The runtime's own threads and events come and go.
    private const int HandlesOfTheRuntime = 24;

    // Each further one comes with its first connection.
    private const int DescriptorsOfALoop = 3;

    private readonly (int Pipes, int Others) _before = Count(process);

    /// <summary>Waits until the process has no more than it had.</summary>
    public Task AssertReleasedAsync() => Limits.UntilAsync(
        () => Count(process) is var (pipes, others) && others <= _before.Others + Slack && pipes <= _before.Pipes + (KeptPipeEnds * RelayProgram.LoopCount),
        $"process {process.Id} to have {_before} descriptors again");

    private static int Slack => OperatingSystem.IsWindows() ? HandlesOfTheRuntime : DescriptorsOfALoop * (RelayProgram.LoopCount - 1);

    private static (int Pipes, int Others) Count(Process process)
    {
        if (OperatingSystem.IsWindows())
        {
            process.Refresh();
            return (0, process.HandleCount);
        }

        var targets = Directory.GetFiles($"/proc/{process.Id}/fd").Select(path => new FileInfo(path).LinkTarget).ToArray();

        // Not the files: the runtime keeps those of its assemblies open, and loads them as they are needed.
        return (CountOf("pipe:"), CountOf("socket:") + CountOf("anon_inode:"));

        int CountOf(string kind) => targets.Count(target => target?.StartsWith(kind, StringComparison.Ordinal) ?? false);
    }
}
