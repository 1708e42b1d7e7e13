using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace RelayProtocol;

/// <summary>Reads the text of a <see cref="RelayTarget"/>; each failure says what is wrong and what would be right.</summary>
internal static class RelayTargetParser
{
    // sun_path of sockaddr_un is 108 bytes with its terminating NUL. Source: unix(7); afunix.h on Windows.
    private const int MaxPathBytes = 107;

    private static readonly SearchValues<char> DigitsAndDots = SearchValues.Create("0123456789.");

    private const string Kinds = "direct, direct:HOST, tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, hvsocket:VMID:PORT or firecracker:PATH:PORT";

    internal static bool TryParse(string? text, [NotNullWhen(true)] out RelayTarget? target, [NotNullWhen(false)] out string? error)
    {
        target = null;
        if (string.IsNullOrEmpty(text))
        {
            error = $"an empty target: expected {Kinds}";
            return false;
        }
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon];
        string? rest = colon < 0 ? null : text[(colon + 1)..];
        error = kind switch
        {
            "direct" => ParseDirect(rest, ref target),
            "tcp" => ParseTcp(rest, ref target),
            "unix" => ParseUnix(rest, ref target),
            "vsock" => ParseVSock(rest, ref target),
            "hvsocket" => ParseHvSocket(rest, ref target),
            "firecracker" => ParseFirecracker(rest, ref target),
            _ => $"'{kind}' is not a kind of target: expected {Kinds}",
        };
        error = error is null ? null : $"{text}: {error}";
        return error is null;
    }

    internal static string? CheckHost(string host)
    {
        if (host.Length == 0)
        {
            return "the host is missing";
        }
        if (host.Contains(':', StringComparison.Ordinal) || !host.AsSpan().ContainsAnyExcept(DigitsAndDots))
        {
            return AddressText.TryParse(host, out _, out string? error) ? null : $"'{host}' {error}";
        }
        return host.Length > 253 || host.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_'))
            ? $"'{host}' is neither an IP address nor a host name"
            : null;
    }

    internal static string? CheckPath(string path)
    {
        if (path.Length == 0)
        {
            return "the path is missing";
        }
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            return "the path holds a NUL character";
        }
        int bytes = Encoding.UTF8.GetByteCount(path);
        return bytes > MaxPathBytes ? $"the path is {bytes} bytes long, a socket's path at most {MaxPathBytes}" : null;
    }

    private static string? ParseDirect(string? rest, ref RelayTarget? target)
    {
        if (rest is null)
        {
            target = RelayTarget.Direct;
            return null;
        }
        string? error = TakeHost(rest, out string host, out string? after);
        if (error is null && after is not null)
        {
            error = "direct takes no port (each mapping has its own): expected direct or direct:HOST";
        }
        if (error is null)
        {
            target = RelayTarget.DirectTo(host);
        }
        return error;
    }

    private static string? ParseTcp(string? rest, ref RelayTarget? target)
    {
        string host = "";
        string? port = null;
        uint number = 0;
        string? error = rest is null ? "the host is missing: expected tcp:HOST:PORT" : TakeHost(rest, out host, out port);
        error ??= port is null ? "the port is missing: expected tcp:HOST:PORT" : ParseNumber("port", port, 1, 65535, out number);
        if (error is null)
        {
            target = RelayTarget.Tcp(host, (int)number);
        }
        return error;
    }

    private static string? ParseUnix(string? rest, ref RelayTarget? target)
    {
        string? error = string.IsNullOrEmpty(rest) ? "the path is missing: expected unix:PATH" : CheckPath(rest);
        if (error is null)
        {
            target = RelayTarget.Unix(rest!);
        }
        return error;
    }

    private static string? ParseVSock(string? rest, ref RelayTarget? target)
    {
        string[] parts = (rest ?? "").Split(':');
        if (parts.Length != 2)
        {
            return "expected vsock:CID:PORT, two numbers";
        }
        string? error = ParseNumber("context id", parts[0], 0, uint.MaxValue - 1, out uint cid);
        uint port = 0;
        error ??= ParseNumber("port", parts[1], 0, uint.MaxValue - 1, out port);
        if (error is null)
        {
            target = RelayTarget.VSock(cid, port);
        }
        return error;
    }

    private static string? ParseHvSocket(string? rest, ref RelayTarget? target)
    {
        string[] parts = (rest ?? "").Split(':');
        if (parts.Length != 2)
        {
            return "expected hvsocket:VMID:PORT, a virtual machine's GUID and a number";
        }
        // "D" is dashes without braces; "B" with braces, as other tools print it.
        if (!Guid.TryParseExact(parts[0], "D", out Guid vmId) && !Guid.TryParseExact(parts[0], "B", out vmId))
        {
            return $"'{parts[0]}' is not a GUID such as 0cb41c0b-fd26-4a41-8370-dccb048e216e";
        }
        string? error = ParseNumber("port", parts[1], 0, uint.MaxValue - 1, out uint port);
        if (error is null)
        {
            target = RelayTarget.HvSocket(vmId, port);
        }
        return error;
    }

    private static string? ParseFirecracker(string? rest, ref RelayTarget? target)
    {
        // The last colon, for a path may hold one.
        int colon = rest?.LastIndexOf(':') ?? -1;
        if (rest is null || colon < 0)
        {
            return "expected firecracker:PATH:PORT";
        }
        string path = rest[..colon];
        string? error = CheckPath(path);
        uint port = 0;
        error ??= ParseNumber("port", rest[(colon + 1)..], 0, uint.MaxValue - 1, out port);
        if (error is null)
        {
            target = RelayTarget.Firecracker(path, port);
        }
        return error;
    }

    /// <summary>Splits <c>HOST</c> or <c>[HOST]</c> from what follows its colon; <paramref name="after"/> is null without one.</summary>
    private static string? TakeHost(string text, out string host, out string? after)
    {
        host = "";
        after = null;
        if (text.StartsWith('['))
        {
            int end = text.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
            {
                return "the bracket is not closed";
            }
            host = text[1..end];
            if (end + 1 < text.Length)
            {
                if (text[end + 1] != ':')
                {
                    return "a colon must follow the bracket";
                }
                after = text[(end + 2)..];
            }
            return host.Contains(':', StringComparison.Ordinal) ? CheckHost(host) : $"'{host}': brackets are for IPv6 addresses only";
        }
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon != text.LastIndexOf(':'))
        {
            return "too many colons: an IPv6 address goes in brackets, as in [::1]";
        }
        host = colon < 0 ? text : text[..colon];
        after = colon < 0 ? null : text[(colon + 1)..];
        return CheckHost(host);
    }

    private static string? ParseNumber(string what, string text, uint least, uint most, out uint number)
    {
        number = 0;
        if (text.Length == 0)
        {
            return $"the {what} is missing";
        }
        if (text.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            return $"the {what} '{text}' is not a number";
        }
        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most
            ? null
            : $"the {what} {text} is out of range {least}..{most}";
    }
}
