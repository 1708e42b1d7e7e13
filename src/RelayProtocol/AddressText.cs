using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace RelayProtocol;

/// <summary>
/// Reads IP literals strictly, once for the wire and for the command line: <see cref="IPAddress"/> alone also takes <c>127.1</c>,
/// <c>1</c>, <c>0x7f.1</c>, octal parts, brackets and ports, and an address that is read differently by two programs is a trap.
/// </summary>
internal static class AddressText
{
    /// <summary>Reads four decimal numbers with dots, or an IPv6 address that is not IPv4-mapped, without brackets.</summary>
    /// <param name="text">The text; a scope id (<c>%3</c>, <c>%eth0</c>) is taken on a link-local IPv6 address only.</param>
    /// <param name="address">The address, or null.</param>
    /// <param name="error">What is wrong, as the end of a sentence that begins with the text; null on success.</param>
    internal static bool TryParse(
        string text, [NotNullWhen(true)] out IPAddress? address, [NotNullWhen(false)] out string? error)
    {
        int scope = text.IndexOf('%', StringComparison.Ordinal);
        ReadOnlySpan<char> digits = scope < 0 ? text : text.AsSpan(0, scope);
        bool isVersion6 = digits.Contains(':');
        error = null;
        if (digits.ContainsAnyExcept(isVersion6 ? "0123456789abcdefABCDEF:." : "0123456789.")
            || !IPAddress.TryParse(text, out address)
            || address.AddressFamily != (isVersion6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork)
            || (!isVersion6 && address.ToString() != text))
        {
            error = "is not an IP address such as 127.0.0.1 or ::1";
        }
        else if (address.IsIPv4MappedToIPv6)
        {
            error = $"is an IPv4-mapped address: write {address.MapToIPv4()}";
        }
        else if (scope >= 0 && (!address.IsIPv6LinkLocal || address.ScopeId == 0))
        {
            error = address.IsIPv6LinkLocal
                ? "has a scope that is no interface of this machine"
                : "has a scope, which only a link-local address (fe80::/10) can have";
        }
        else
        {
            return true;
        }
        address = null;
        return false;
    }
}
