using System.Text;
using Wslrelay.Io;

namespace Wslrelay.Diagnostics;

/// <summary>
/// Standard error without <see cref="Console"/>, which needs descriptors, a terminal and time when it is first used. Never throws. For any thread.
/// </summary>
internal static class StandardError
{
    private static readonly FileStream? Stream = TryOpen();

    internal static void Write(string text)
    {
        try
        {
            Stream?.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (Exception)
        {
            // The reader is gone, or the disk is full: a message that cannot be written must not end the relay.
        }
    }

    /// <summary>Writes a line for the person who started the program.</summary>
    internal static void WriteLine(string text) => Write($"wslrelay: {text}\n");

    private static FileStream? TryOpen()
    {
        try
        {
            return new FileStream(IoPort.StandardHandle(StandardStream.Error), FileAccess.Write, bufferSize: 0);
        }
        catch (Exception)
        {
            return null;
        }
    }
}
