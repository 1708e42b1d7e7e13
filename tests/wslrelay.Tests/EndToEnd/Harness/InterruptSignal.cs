using System.Runtime.CompilerServices;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// A shell without job control starts what it leaves in the background with SIGINT ignored (POSIX, "Signals and Error Handling"), which every
/// child inherits: tests that interrupt a program would wait in vain. The tests take it as a terminal gives it.
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
