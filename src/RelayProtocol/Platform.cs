using System.ComponentModel;

namespace RelayProtocol;

/// <summary>
/// What the library needs of the operating system. The folders Linux and Windows each supply, under the same file names:
/// <c>ProcessLauncher</c> (this class) and <c>LaunchedProcess</c> (a <see cref="ChildProcess"/>). Any thread.
/// </summary>
internal abstract class Platform
{
    private static Platform? _current;

    /// <summary>This system's; the library's one platform check.</summary>
    /// <exception cref="PlatformNotSupportedException">This is neither Linux nor Windows.</exception>
    internal static Platform Current => _current ??=
        OperatingSystem.IsWindows() ? new Windows.ProcessLauncher()
        : OperatingSystem.IsLinux() ? new Linux.ProcessLauncher()
        : throw new PlatformNotSupportedException("a relay runs on Linux and on Windows only");

    /// <summary>Makes an exit event that no child inherits unless it is passed on.</summary>
    /// <exception cref="Win32Exception">The system refuses.</exception>
    internal abstract SafeHandle CreateExitEvent();

    /// <summary>Signals an exit event, for good.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    internal abstract void Signal(SafeHandle exitEvent);

    /// <summary>Starts a child that inherits its three standard handles and the exit event, and nothing else.</summary>
    /// <exception cref="FileNotFoundException">There is no such program.</exception>
    /// <exception cref="Win32Exception">The system refuses; the message names the program.</exception>
    internal abstract ChildProcess Start(ChildStart start);

    /// <summary>Names what failed, with the system's words for the error.</summary>
    internal static Win32Exception Failure(string what, int error) => new(error, $"{what}: {Marshal.GetPInvokeErrorMessage(error)}");
}

/// <summary>What a platform needs to start a child.</summary>
/// <param name="Program">The program's full path.</param>
/// <param name="ExitEvent">The exit event to pass on; stays the caller's.</param>
/// <param name="Arguments">Makes the arguments, without the program's name, from the exit event's number in the child.</param>
/// <param name="StandardError">Where the child's standard error goes.</param>
internal sealed record ChildStart(
    string Program, SafeHandle ExitEvent, Func<long, IReadOnlyList<string>> Arguments, RelayStandardError StandardError = RelayStandardError.Inherit);
