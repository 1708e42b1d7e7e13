using System.Runtime.InteropServices;
using Wslrelay.Io.Linux;
using Wslrelay.Io.Windows;

namespace Wslrelay.Io;

/// <summary>A standard stream, or the null device if it is missing. Its calls block and never throw. Read or written, by one thread at a time.</summary>
internal abstract class StandardStream
{
    /// <summary>The three streams. Must be used first of all by the program: what is opened before could take the number of one that is closed.</summary>
    public static StandardStream Input { get; } = Open(0);

    public static StandardStream Output { get; } = Open(1);

    public static StandardStream Error { get; } = Open(2);

    /// <summary>The handle itself, which other processes may share.</summary>
    public abstract SafeHandle Handle { get; }

    /// <summary>Why it cannot be read; null if it can.</summary>
    public abstract string? ReadProblem { get; }

    /// <summary>The size of the terminal or console that it is, in characters; null if it is none.</summary>
    public abstract (int Columns, int Rows)? TerminalSize { get; }

    /// <summary>Enables escape sequences in that terminal; false if it has none.</summary>
    public abstract bool UseEscapes();

    /// <summary>Blocks until there is something to read. Returns 0 at the end of file, and when it cannot be read any more.</summary>
    public abstract int Read(Span<byte> buffer);

    /// <summary>Writes all of it, at the end where it is a file that others write too. Returns false if it cannot be written.</summary>
    public abstract bool Write(ReadOnlySpan<byte> bytes);

    private static StandardStream Open(int number) =>
        OperatingSystem.IsWindows() ? new WindowsStandardStream(number)
        : OperatingSystem.IsLinux() ? new LinuxStandardStream(number)
        : throw new PlatformNotSupportedException("wslrelay runs on Windows and Linux.");
}
