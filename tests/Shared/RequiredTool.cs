using System.ComponentModel;
using System.Diagnostics;
using Xunit;

namespace Wslrelay.TestTools;

/// <summary>
/// A program that some tests need and that a machine may lack. Where it is missing the test is skipped with the reason, and fails
/// instead if the environment says WSLRELAY_REQUIRE_TOOLS=1, so that a build that is meant to run everything cannot pass by skipping.
/// </summary>
public static class RequiredTool
{
    /// <summary>Skips or fails the running test unless a program can be run.</summary>
    /// <param name="path">The program, an absolute path or a name to be found in PATH.</param>
    /// <param name="package">What to install to have it, named in the reason.</param>
    /// <param name="probe">Arguments with which the program ends at once with 0 if everything needed of it is present.</param>
    public static void Require(string path, string package, params string[] probe)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), $"{path} is a program of Linux.");
        if (!Runs(path, probe))
        {
            string reason = $"This test needs {path}, from the package {package}.";
            if (Environment.GetEnvironmentVariable("WSLRELAY_REQUIRE_TOOLS") == "1")
                Assert.Fail(reason);

            Assert.Skip(reason);
        }
    }

    private static bool Runs(string path, string[] probe)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(path, probe)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            process.StandardInput.Close();
            process.OutputDataReceived += static (_, _) => { };
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (process.WaitForExit(TimeSpan.FromSeconds(30)))
                return process.ExitCode == 0;

            process.Kill();
            return false;
        }
        catch (Win32Exception)
        {
            return false; // no such program
        }
    }
}
