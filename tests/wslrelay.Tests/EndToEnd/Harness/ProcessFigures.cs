using System.Diagnostics;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// What the system says of a running process. Wine says of another process no memory and, for its time, this process's own: there the Linux
/// below it is asked.
/// </summary>
internal static class ProcessFigures
{
    private const int TicksPerSecond = 100;

    /// <summary>Memory that is this process's own, in bytes: anonymous resident pages where /proc tells them.</summary>
    public static long Memory(Process process)
    {
        if (OperatingSystem.IsWindows() && !Platform.IsWine)
        {
            process.Refresh();
            return process.PrivateMemorySize64;
        }

        var line = File.ReadLines($"{Folder(process)}/status").First(text => text.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    public static TimeSpan ProcessorTime(Process process)
    {
        if (Platform.IsWine)
        {
            // After the name, the 12th and 13th: the time in user mode and that in the kernel.
            var fields = AfterName($"{Folder(process)}/stat");
            return TimeSpan.FromSeconds((double)(long.Parse(fields[11]) + long.Parse(fields[12])) / TicksPerSecond);
        }

        process.Refresh();
        return process.TotalProcessorTime;
    }

    /// <summary>Whether a process that is not ours to wait for still runs; one that only awaits its parent's notice does not.</summary>
    public static bool IsRunning(int id)
    {
        if (OperatingSystem.IsWindows())
        {
            return Array.Exists(Process.GetProcesses(), process => process.Id == id && !process.HasExited);
        }

        try
        {
            return AfterName($"/proc/{id}/stat")[0] is not ("Z" or "X");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string Folder(Process process) => Platform.IsWine ? FolderOfNewestRelay() : $"/proc/{process.Id}";

    /// <summary>Wine's numbers of processes are not Linux's: the relay under test is the one that was started last.</summary>
    private static string FolderOfNewestRelay() => Directory.GetDirectories(@"Z:\proc")
        .Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]) && Read($@"{folder}\cmdline").StartsWith(RelayProgram.Path, StringComparison.Ordinal))
        .MaxBy(folder => long.Parse(AfterName($@"{folder}\stat")[19]))!;

    private static string[] AfterName(string stat)
    {
        var text = File.ReadAllText(stat);
        return text[(text.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return ""; // It has ended meanwhile.
        }
    }
}
