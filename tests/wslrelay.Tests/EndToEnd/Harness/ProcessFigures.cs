using System.Diagnostics;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>What the system says of a running process.</summary>
internal static class ProcessFigures
{
    /// <summary>Memory that is this process's own, in bytes: anonymous resident pages where /proc tells them.</summary>
    public static long Memory(Process process)
    {
        if (!OperatingSystem.IsLinux())
        {
            process.Refresh();
            return process.PrivateMemorySize64;
        }

        var line = File.ReadLines($"/proc/{process.Id}/status").First(text => text.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    public static TimeSpan ProcessorTime(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    /// <summary>Whether a process that is not ours to wait for still runs; one that only awaits its parent's notice does not.</summary>
    public static bool IsRunning(int id)
    {
        try
        {
            var state = File.ReadAllText($"/proc/{id}/stat");
            return state[state.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
