using System.Text;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>Hexadecimal in which a run of equal bytes may be written as in <c>00 61*40 0a</c>, so that large vectors stay short.</summary>
internal static class HexRuns
{
    public static byte[] Parse(string text)
    {
        var bytes = new List<byte>();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = word.Split('*');
            byte[] digits = Convert.FromHexString(parts[0]);
            for (int count = parts.Length > 1 ? int.Parse(parts[1]) : 1; count > 0; count--)
                bytes.AddRange(digits);
        }

        return [.. bytes];
    }

    /// <summary>Writes bytes, those in runs longer than 16 as runs; the scripts' format_bytes does the same.</summary>
    public static string Format(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            int run = bytes.IndexOfAnyExcept(bytes[0]) is var length and >= 0 ? length : bytes.Length;
            if (run > 16)
                text.Append($" {bytes[0]:x2}*{run} ");
            else
                text.Append(Convert.ToHexStringLower(bytes[..run]));

            bytes = bytes[run..];
        }

        return text.Replace("  ", " ").ToString().Trim();
    }
}
