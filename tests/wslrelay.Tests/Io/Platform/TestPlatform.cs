using System.Runtime.InteropServices;
using Wslrelay.Io;
using Wslrelay.Io.Windows;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.Io.Platform;

/// <summary>The handles that tests make in each system's own way.</summary>
public static class TestPlatform
{
    public static bool IsWindows => OperatingSystem.IsWindows();

    public static bool IsWine => Wine.IsHere;

    /// <summary>Skips the running test under Wine, and there only. docs/windows.md lists each test that calls this.</summary>
    public static void NotUnderWine(string because) => Assert.SkipWhen(IsWine, because);

    internal static TestSignal CreateSignal() => OperatingSystem.IsWindows() ? new EventSignal() : new PipeSignal();

    internal static (SafeHandle Read, SafeHandle Write) CreatePipe() =>
        OperatingSystem.IsWindows() ? WindowsPipes.CreateOverlapped() : UnixPipes.Create();

    /// <summary>Calls that the kernel has accepted and whose completion has not been collected; 0 where a system has no such calls.</summary>
    internal static int InFlight(IoPort port) => OperatingSystem.IsWindows() ? ((CompletionPort)port).InFlight : 0;
}
