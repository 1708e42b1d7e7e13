using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace RelayProtocol;

/// <summary>
/// The parts of endpoints on the command line: hosts, socket paths and numbers. Each throws a <see cref="FormatException"/> whose message says what is wrong.
/// </summary>
internal static class EndpointText
{
    /// <summary>The longest path of a Unix socket in bytes of UTF-8: sun_path of sockaddr_un less its NUL. Source: unix(7); afunix.h on Windows.</summary>
    internal const int MaxPathBytes = 107;

    // 4294967295 stands for "any" in vsock and hvsocket addresses.
    internal const uint MaxVSockNumber = uint.MaxValue - 1;

    private static readonly SearchValues<char> DigitsAndDots = SearchValues.Create("0123456789.");

    /// <summary>Parses, with the exception's message, preceded by the text, as the error.</summary>
    internal static bool TryParse<T>(
        string? text, string empty, Func<string, T> parse, [NotNullWhen(true)] out T? value, [NotNullWhen(false)] out string? error)
        where T : class
    {
        (value, error) = (null, empty);
        if (string.IsNullOrEmpty(text))
            return false;
        try
        {
            (value, error) = (parse(text), null);
            return true;
        }
        catch (FormatException problem)
        {
            error = $"{text}: {problem.Message}";
            return false;
        }
    }

    /// <summary>Returns a host that is an IP address, without brackets, or a name.</summary>
    internal static string CheckHost(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (host.Length == 0)
            throw new FormatException("the host is missing");
        if (host.Contains(':', StringComparison.Ordinal) || !host.AsSpan().ContainsAnyExcept(DigitsAndDots))
            return AddressText.TryParse(host, out _, out string? error) ? host : throw new FormatException($"'{host}' {error}");
        return host.Length > 253 || host.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_'))
            ? throw new FormatException($"'{host}' is neither an IP address nor a host name")
            : host;
    }

    /// <summary>Returns a path that fits a Unix socket's address.</summary>
    internal static string CheckPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        int bytes = Encoding.UTF8.GetByteCount(path);
        return bytes == 0 ? throw new FormatException("the path is missing")
            : path.Contains('\0', StringComparison.Ordinal) ? throw new FormatException("the path holds a NUL character")
            : bytes > MaxPathBytes ? throw new FormatException($"the path is {bytes} bytes long, a socket's path at most {MaxPathBytes}")
            : path;
    }

    /// <summary>Splits <c>HOST</c> or <c>[HOST]</c> from what follows its colon, which is null without one.</summary>
    internal static (string Host, string? Port) SplitHost(string text)
    {
        if (text.StartsWith('['))
        {
            int end = text.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
                throw new FormatException("the bracket is not closed");
            string address = text[1..end];
            string? rest = end + 1 == text.Length ? null
                : text[end + 1] == ':' ? text[(end + 2)..]
                : throw new FormatException("a colon must follow the bracket");
            return address.Contains(':', StringComparison.Ordinal)
                ? (CheckHost(address), rest)
                : throw new FormatException($"'{address}': brackets are for IPv6 addresses only");
        }
        string[] parts = text.Split(':');
        return parts.Length > 2
            ? throw new FormatException("too many colons: an IPv6 address goes in brackets, as in [::1]")
            : (CheckHost(parts[0]), parts.Length == 2 ? parts[1] : null);
    }

    internal static uint ParseNumber(string what, string text, uint least, uint most)
    {
        if (text.Length == 0)
            throw new FormatException($"the {what} is missing");
        if (text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            throw new FormatException($"the {what} '{text}' is not a number");
        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number >= least && number <= most
            ? number
            : throw new FormatException($"the {what} {text} is out of range {least}..{most}");
    }

    internal static uint ParseVSockPort(string text) => ParseNumber("port", text, 0, MaxVSockNumber);
}
