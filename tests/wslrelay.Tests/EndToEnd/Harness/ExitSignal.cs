using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>An exit event that the relay inherits by number; the kinds are those of the contract.</summary>
internal sealed partial class ExitSignal : IDisposable
{
    private const uint HANDLE_FLAG_INHERIT = 1;
    private readonly Action _signal;
    private readonly Action _dispose;

    private ExitSignal(string number, Action signal, Action dispose) => (Number, _signal, _dispose) = (number, signal, dispose);

    public string Number { get; }

    /// <summary>The platform's usual one.</summary>
    public static ExitSignal Create() => Create(OperatingSystem.IsWindows() ? "manual-reset event" : "eventfd");

    public static ExitSignal Create(string kind)
    {
        switch (kind)
        {
            case "eventfd":
                var descriptor = Libc.EventFd();
                return new ExitSignal($"{descriptor}", () => Libc.Write(descriptor), () => Libc.Close(descriptor));
            case "written pipe":
                var (read, write) = Libc.Pipe();
                return new ExitSignal($"{read}", () => Libc.Write(write), () => Libc.Close(write));
            case "hung-up pipe":
                var (end, other) = Libc.Pipe();
                return new ExitSignal($"{end}", () => Libc.Close(other), () => Libc.Close(end));
            case "pidfd":
                var process = Process.Start("/bin/sleep", "600");
                return new ExitSignal($"{Libc.PidFd(process.Id)}", process.Kill, () => End(process));
            default:
                var handle = new EventWaitHandle(false, kind == "auto-reset event" ? EventResetMode.AutoReset : EventResetMode.ManualReset);
                var number = handle.SafeWaitHandle.DangerousGetHandle();
                Marshal.ThrowExceptionForHR(SetHandleInformation(number, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) ? 0 : Marshal.GetHRForLastWin32Error());
                return new ExitSignal($"{number}", () => handle.Set(), handle.Dispose);
        }
    }

    public void Signal() => _signal();

    public void Dispose() => _dispose();

    private static void End(Process process)
    {
        process.Kill();
        process.Dispose();
    }

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetHandleInformation(nint hObject, uint dwMask, uint dwFlags);
}
