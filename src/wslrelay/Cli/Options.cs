using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>The options that commands share: each parses its own text and says what is wrong with it, by its name.</summary>
internal static class Options
{
    /// <summary>A parser of one token that gives a value or says why not.</summary>
    internal delegate bool Parser<T>(string text, out T value, out string? error);

    internal static Option<RelayTarget?> Target() => Make<RelayTarget?>(
        "--target", "TARGET", "Where connections go: direct, direct:HOST, tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, hvsocket:VMID:PORT or firecracker:PATH:PORT. Default: direct.",
        static (string text, out RelayTarget? value, out string? error) => RelayTarget.TryParse(text, out value, out error));

    internal static Option<Guid?> VmId() => Make<Guid?>(
        "--vm-id", "GUID", "The virtual machine of a Hyper-V socket; with --port the same as --target hvsocket:GUID:PORT.",
        static (string text, out Guid? value, out string? error) =>
        {
            bool parsed = Guid.TryParse(text, out Guid id);
            value = id;
            error = parsed ? null : $"'{text}' is not a GUID";
            return parsed;
        });

    internal static Option<long?> Integer(string name, string placeholder, string description, long least, long most) => Make<long?>(
        name, placeholder, description,
        (string text, out long? value, out string? error) =>
        {
            bool parsed = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most;
            value = number;
            error = parsed ? null : $"'{text}' is not a number in {least}..{most}";
            return parsed;
        });

    internal static Option<LogLevel?> Level() => Make<LogLevel?>(
        "--log-level", "LEVEL", "none, error, warning, information or debug; logs go to standard error. Default: information.",
        static (string text, out LogLevel? value, out string? error) =>
        {
            value = text switch
            {
                "none" => LogLevel.None,
                "error" => LogLevel.Error,
                "warning" => LogLevel.Warning,
                "information" => LogLevel.Information,
                "debug" => LogLevel.Debug,
                _ => null,
            };
            error = value is null ? $"'{text}' is not one of none, error, warning, information, debug" : null;
            return value is not null;
        });

    internal static Option<long?> ExitEvent() => Integer(
        "--exit-event", "N", "An inherited handle that ends it when it is signalled: an event (Windows); an eventfd, the read end of a pipe or a pidfd (Linux).", 0, long.MaxValue);

    internal static Option<GuestProtocol?> Protocol() => Make<GuestProtocol?>(
        "--guest-protocol", "NAME", "What the agent at the target understands: relay (wslrelay guest) or wsl (WSL's own init, of August 2026). Default: relay.",
        static (string text, out GuestProtocol? value, out string? error) =>
        {
            value = text switch
            {
                "relay" => GuestProtocol.Relay,
                "wsl" => GuestProtocol.Wsl,
                _ => null,
            };
            error = value is null ? $"'{text}' is neither relay nor wsl" : null;
            return value is not null;
        });

    internal static Option<(IoEndpoint Endpoint, string Text)?> Listen() => Make<(IoEndpoint Endpoint, string Text)?>(
        "--listen", "ENDPOINT", "Where the relay connects to: tcp:HOST:PORT, unix:PATH or vsock:PORT.",
        static (string text, out (IoEndpoint Endpoint, string Text)? value, out string? error) =>
        {
            bool parsed = ListenEndpoint.TryParse(text, out IoEndpoint endpoint, out error);
            value = (endpoint, text);
            return parsed;
        });

    internal static Option<bool> AllowAnyCid() => new("--allow-any-cid")
    {
        Description = "Take vsock connections from other contexts than the host (2) and this machine itself (1).",
    };

    internal static Option<bool> AllowRemote() => new("--allow-remote")
    {
        Description = "Let mappings listen on addresses that other machines can reach. Default: loopback addresses only.",
    };

    internal static Argument<PortMapping[]> Mappings() => new("MAPPING")
    {
        Description = "[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp], as in 8080, 8080:80, 127.0.0.1:0:80, [::1]:8080:80, 3000-3009:3000-3009.",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = static result =>
        {
            List<PortMapping> mappings = [];
            foreach (Token token in result.Tokens)
            {
                if (PortMapping.TryParseSpec(token.Value, out IReadOnlyList<PortMapping>? some, out string? error))
                {
                    mappings.AddRange(some);
                }
                else
                {
                    result.AddError($"MAPPING: {error}");
                }
            }

            return [.. mappings];
        },
    };

    private static Option<T?> Make<T>(string name, string placeholder, string description, Parser<T?> parse) => new(name)
    {
        HelpName = placeholder,
        Description = description,
        CustomParser = result =>
        {
            if (parse(result.Tokens[^1].Value, out T? value, out string? error))
            {
                return value;
            }

            result.AddError($"{name}: {error}");
            return default;
        },
    };
}
