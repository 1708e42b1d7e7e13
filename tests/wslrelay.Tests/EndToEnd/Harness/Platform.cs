using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Skips, with the reason, tests that a platform cannot run.</summary>
internal static class Platform
{
    public static bool IsWine => TestPlatform.IsWine;

    /// <summary>The lowest port that every user may bind on Linux.</summary>
    public static int FirstPublicPort => int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start"));

    public static void OnLinuxOnly(string because) => Assert.SkipUnless(OperatingSystem.IsLinux(), because);

    /// <inheritdoc cref="TestPlatform.NotUnderWine"/>
    public static void NotUnderWine(string because) => TestPlatform.NotUnderWine(because);
}
