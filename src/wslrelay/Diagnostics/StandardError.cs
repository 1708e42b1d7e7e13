using System.Text;
using Wslrelay.Io;

namespace Wslrelay.Diagnostics;

/// <summary>Text on standard error; what cannot be written is dropped. For any thread.</summary>
internal static class StandardError
{
    internal static void Write(string text) => _ = StandardStream.Error.Write(Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a line for the person who started the program.</summary>
    internal static void WriteLine(string text) => Write($"wslrelay: {text}\n");
}
