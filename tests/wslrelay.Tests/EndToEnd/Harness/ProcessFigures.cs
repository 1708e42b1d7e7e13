using System.Diagnostics;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// The system's figures of a running process. Wine reports no memory of another process and, as its time, this process's own: there the Linux
/// below it is asked.
/// </summary>
internal static class ProcessFigures
{
    private const int TicksPerSecond = 100;

    /// <summary>The private memory of the process, in bytes: anonymous resident pages where /proc has them.</summary>
    public static long Memory(Process process) => MemoryWhileItRuns(process) ?? throw new InvalidOperationException($"Process {process.Id} has ended.");

    /// <summary>As <see cref="Memory"/>; null for a process that has ended.</summary>
    public static long? MemoryWhileItRuns(Process process)
    {
        if (OperatingSystem.IsWindows() && !Platform.IsWine)
        {
            process.Refresh();
            return process.HasExited ? null : process.PrivateMemorySize64;
        }

        var line = Read($"{Folder(process)}/status").Split('\n').FirstOrDefault(text => text.StartsWith("RssAnon:", StringComparison.Ordinal));
        return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    public static TimeSpan ProcessorTime(Process process)
    {
        if (Platform.IsWine)
        {
            // After the name, the 12th and 13th: the time in user mode and that in the kernel.
            var fields = AfterName(Read($"{Folder(process)}/stat"));
            return TimeSpan.FromSeconds((double)(long.Parse(fields[11]) + long.Parse(fields[12])) / TicksPerSecond);
        }

        process.Refresh();
        return process.TotalProcessorTime;
    }

    /// <summary>
    /// For how long its threads together were ready to run and waited for a processor (the second number of /proc/PID/task/TID/schedstat). Zero where the system
    /// does not report it.
    /// </summary>
    public static TimeSpan QueuedTime(int process) => Scheduled(process).Queued;

    /// <summary>For how long its threads ran or waited for a processor: however busy the machine, a thread that has nothing to do adds nothing to it.</summary>
    public static TimeSpan BusyTime(Process process)
    {
        var (ran, queued) = Scheduled(process.Id);
        return ran + queued > TimeSpan.Zero ? ran + queued : ProcessorTime(process);
    }

    /// <summary>Whether a process that is not a child of this one still runs; a zombie does not.</summary>
    public static bool IsRunning(int id)
    {
        if (OperatingSystem.IsWindows())
            return Array.Exists(Process.GetProcesses(), process => process.Id == id && !process.HasExited);

        return Read($"/proc/{id}/stat") is { Length: > 0 } stat && AfterName(stat)[0] is not ("Z" or "X");
    }

    private static (TimeSpan Ran, TimeSpan Queued) Scheduled(int process)
    {
        var (ran, queued) = (0L, 0L);
        foreach (var thread in Threads(process))
        {
            if (Read($"{thread}/schedstat").Split(' ') is [var own, var waited, ..])
            {
                ran += long.Parse(own);
                queued += long.Parse(waited);
            }
        }

        return (TimeSpan.FromMicroseconds(ran / 1000), TimeSpan.FromMicroseconds(queued / 1000));
    }

    private static string[] Threads(int process)
    {
        try
        {
            return OperatingSystem.IsWindows() ? [] : Directory.GetDirectories($"/proc/{process}/task");
        }
        catch (IOException)
        {
            return []; // it has ended
        }
    }

    private static string Folder(Process process) => Platform.IsWine ? FolderOfNewestRelay() : $"/proc/{process.Id}";

    /// <summary>Wine's numbers of processes are not Linux's: the relay under test is the one that was started last.</summary>
    private static string FolderOfNewestRelay() => Directory.GetDirectories(@"Z:\proc")
        .Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]))
        .Where(folder => Read($@"{folder}\cmdline").StartsWith(RelayProgram.Path, StringComparison.Ordinal))
        .Select(folder => (Path: folder, Stat: Read($@"{folder}\stat")))
        .Where(folder => folder.Stat.Length > 0)
        .OrderByDescending(folder => long.Parse(AfterName(folder.Stat)[19]))
        .FirstOrDefault().Path;

    private static string[] AfterName(string stat) => stat[(stat.LastIndexOf(')') + 2)..].Split(' ');

    /// <summary>Empty where the process has ended.</summary>
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
