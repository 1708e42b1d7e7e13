using System.Text;
using Wslrelay.Io;

namespace Wslrelay.Diagnostics;

/// <summary>
/// Standard error without a console in between, which would want descriptors, a terminal and time when it is first used. Never throws. For any thread.
/// </summary>
internal static class StandardError
{
    private static readonly FileStream? Stream = TryOpen();

    /// <summary>Writes text as it is.</summary>
    public static void Write(string text)
    {
        try
        {
            Stream?.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (Exception)
        {
            // Nobody reads it any more, or there is no room: nothing that a message meets may end the relay.
        }
    }

    /// <summary>Writes a line, as from the program to the person who started it.</summary>
    public static void WriteLine(string text) => Write($"wslrelay: {text}\n");

    private static FileStream? TryOpen()
    {
        try
        {
            return new FileStream(IoPort.StandardHandle(StandardStream.Error), FileAccess.Write, bufferSize: 0);
        }
        catch (Exception)
        {
            // The parent gave none.
            return null;
        }
    }
}
