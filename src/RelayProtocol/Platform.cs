using System.ComponentModel;
using System.IO.Pipes;

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
    internal ChildProcess Start(ChildStart start)
    {
        List<(Stream Parent, SafeHandle Child)> pipes = [];
        ChildProcess? child = null;
        try
        {
            pipes.Add(Pipe(PipeDirection.Out));
            pipes.Add(Pipe(PipeDirection.In));
            if (start.StandardError == RelayStandardError.Pipe)
                pipes.Add(Pipe(PipeDirection.In));
            (_, SafeHandle? error) = pipes.ElementAtOrDefault(2);
            using SafeHandle exitEvent = Duplicate(start.ExitEvent);
            child = Launch(start, pipes[0].Child, pipes[1].Child, error, exitEvent);
            (child.Input, child.Output, child.Error) = (pipes[0].Parent, pipes[1].Parent, pipes.ElementAtOrDefault(2).Parent);
            return child;
        }
        finally
        {
            // Close the child's ends at once: a parent that keeps them never sees end of file when the child exits.
            pipes.ForEach(static pipe => pipe.Child.Dispose());
            if (child is null)
                pipes.ForEach(static pipe => pipe.Parent.Dispose());
        }
    }

    /// <summary>A pipe between this process and a child, which inherits its end only where it is passed on.</summary>
    protected abstract (Stream Parent, SafeHandle Child) Pipe(PipeDirection parentsDirection);

    /// <summary>A copy of an exit event for a child.</summary>
    protected abstract SafeHandle Duplicate(SafeHandle exitEvent);

    /// <summary>Starts a child with these handles. Where <paramref name="error"/> is null its standard error goes where <see cref="ChildStart.StandardError"/> says.</summary>
    protected abstract ChildProcess Launch(ChildStart start, SafeHandle input, SafeHandle output, SafeHandle? error, SafeHandle exitEvent);

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
