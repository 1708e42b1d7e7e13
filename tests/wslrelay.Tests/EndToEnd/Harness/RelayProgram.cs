using System.Diagnostics;
using RelayProtocol;
using Wslrelay.TestTools;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Where the program under test is, and how it is started.</summary>
internal static class RelayProgram
{
    /// <summary>The environment's WSLRELAY_PROGRAM, else the program in the tests' folder.</summary>
    public static string Path { get; } = Environment.GetEnvironmentVariable("WSLRELAY_PROGRAM") is { Length: > 0 } given
        ? System.IO.Path.GetFullPath(given)
        : System.IO.Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "wslrelay.exe" : "wslrelay");

    /// <summary>A native file, and not one that the runtime compiles as it runs.</summary>
    public static bool IsNative { get; } = !File.Exists(System.IO.Path.ChangeExtension(Path, ".dll"));

    /// <summary>The number of loops that the program may have.</summary>
    public static int LoopCount { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("WSLRELAY_LOOPS"), out var count) ? count : Math.Clamp(Environment.ProcessorCount / 2, 1, 4);

    /// <summary>Raw pipes for all three standard streams; <paramref name="wrapper"/> comes before the program, as in `sh -c`.</summary>
    public static Process Start(IEnumerable<string> arguments, params IEnumerable<string> wrapper) =>
        StartCommand([.. wrapper, Path, .. arguments]);

    /// <summary>As a child process of the library.</summary>
    public static RelayProcess Start(RelayStartInfo info) => Wine.Start(() => RelayProcess.Start(info));

    public static Process StartCommand(string[] command, string? workingDirectory = null, int? loops = null)
    {
        var info = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory ?? string.Empty,
        };

        // A parent found on the PATH finds the program under test there too.
        info.Environment["PATH"] =
            System.IO.Path.GetDirectoryName(Path) + System.IO.Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        if (loops is { } count)
            info.Environment["WSLRELAY_LOOPS"] = $"{count}";

        return Wine.Start(() => Process.Start(info)!);
    }
}
