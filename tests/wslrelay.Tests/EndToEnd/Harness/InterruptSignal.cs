using System.Runtime.CompilerServices;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// A shell without job control starts what it leaves in the background with SIGINT ignored (POSIX, "Signals and Error Handling"), which every
/// child inherits: programs under test would ignore the interrupt. This restores the default action, which a terminal gives.
/// </summary>
internal static class InterruptSignal
{
    [ModuleInitializer]
    internal static void Restore()
    {
        if (OperatingSystem.IsLinux())
        {
            Libc.RestoreSignal(Libc.SIGINT);
            Libc.RestoreSignal(Libc.SIGQUIT);
            Libc.RestoreSignal(Libc.SIGHUP);
        }
    }
}
