namespace RelayProtocol;

/// <summary>
/// What the library needs of the operating system. The folders Linux and Windows each supply, under the same file names:
/// <c>ProcessLauncher</c> (this class), <c>LaunchedProcess</c> (a <see cref="ChildProcess"/>), <c>ExitEventHandle</c> (an
/// <see cref="ExitSignalHandle"/>). Any thread.
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

    /// <summary>Makes an exit event.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The system refuses.</exception>
    internal abstract ExitSignalHandle CreateExitSignal();

    /// <summary>Starts a child that inherits its three standard handles and the exit event, and nothing else.</summary>
    /// <exception cref="FileNotFoundException">There is no such program.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">The system refuses; the message names the program.</exception>
    internal abstract ChildProcess Start(ChildStart start);
}
