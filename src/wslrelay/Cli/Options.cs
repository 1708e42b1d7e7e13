using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>The options of all commands. Each parses its own text; an error begins with the option's name.</summary>
internal static class Options
{
    private static readonly string[] Levels = ["none", "error", "warning", "information", "debug"];
    private static readonly string[] GuestProtocols = ["relay", "wsl"];

    private delegate bool Parser<T>(string text, out T value, out string? error);

    internal static Option<RelayTarget> Target() => Make(
        "--target", "TARGET", "Where connections go: direct[:HOST], tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, hvsocket:VMID:PORT or firecracker:PATH:PORT",
        static (string text, out RelayTarget value, out string? error) => RelayTarget.TryParse(text, out value!, out error),
        RelayTarget.Direct);

    internal static Option<Guid?> VmId() => Make<Guid?>(
        "--vm-id", "GUID", "The virtual machine to reach by Hyper-V socket; with --port short for --target hvsocket:GUID:PORT",
        static (string text, out Guid? value, out string? error) =>
        {
            bool parsed = Guid.TryParse(text, out Guid id);
            value = id;
            error = parsed ? null : $"'{text}' is not a GUID";
            return parsed;
        });

    internal static Option<long?> Integer(string name, string placeholder, string description, long min, long max, long? byDefault = null) => Make(
        name, placeholder, description,
        (string text, out long? value, out string? error) =>
        {
            bool parsed = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= min && number <= max;
            value = number;
            error = parsed ? null : $"'{text}' is not a number from {min} to {max}";
            return parsed;
        },
        byDefault);

    internal static Option<long?> ExitEvent() => Integer(
        "--exit-event", "HANDLE", "Exit when this inherited handle is signalled: an event (Windows); an eventfd, a pidfd or the read end of a pipe (Linux)", 0, long.MaxValue);

    internal static Option<long?> Keepalive() => Integer(
        "--keepalive", "SECONDS", "The time without data before TCP asks whether a peer is still there; 0: as the system has it", 0, 32767, 0);

    internal static Option<string> LogLevel() => Choice(
        "--log-level", "LEVEL", "Log messages of this level and above to standard error: none, error, warning, information or debug", "information", Levels);

    internal static Option<string> GuestProtocol() => Choice(
        "--guest-protocol", "NAME", "What the agent at the target speaks: relay (wslrelay guest) or wsl (the init process of WSL, as of August 2026)", "relay", GuestProtocols);

    /// <summary>The enum member that a <see cref="Choice"/> option names.</summary>
    internal static T ToEnum<T>(string choice)
        where T : struct, Enum => Enum.Parse<T>(choice, ignoreCase: true);

    internal static Option<(IoEndpoint Endpoint, string Text)> Listen() => new("--listen")
    {
        Required = true,
        HelpName = "ENDPOINT",
        Description = "Where to accept connections of the relay: tcp:HOST:PORT, unix:PATH or vsock:PORT",
        CustomParser = static result =>
        {
            string text = result.Tokens[^1].Value;
            if (!ListenEndpoint.TryParse(text, out IoEndpoint endpoint, out string? error))
                result.AddError($"--listen: {error}");

            return (endpoint, text);
        },
    };

    internal static Option<bool> AllowAnyCid() => new("--allow-any-cid")
    {
        Description = "Accept vsock connections from every context, not only from the host (2) and this machine (1)",
    };

    internal static Option<bool> AllowRemote() => new("--allow-remote")
    {
        Description = "Allow mappings on addresses that other machines can reach",
    };

    internal static Argument<PortMapping[]> Mappings() => new("MAPPING")
    {
        Description = "[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp], such as 8080, 8080:80, 127.0.0.1:0:80, [::1]:8080:80 or 3000-3009:3000-3009",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = static result =>
        {
            List<PortMapping> mappings = [];
            foreach (Token token in result.Tokens)
            {
                if (PortMapping.TryParseSpec(token.Value, out IReadOnlyList<PortMapping>? parsed, out string? error))
                    mappings.AddRange(parsed);
                else
                    result.AddError($"MAPPING: {error}");
            }

            return [.. mappings];
        },
    };

    private static Option<string> Choice(string name, string placeholder, string description, string byDefault, string[] choices) => Make(
        name, placeholder, description,
        (string text, out string value, out string? error) =>
        {
            value = text;
            bool known = choices.Contains(text);
            error = known ? null : $"'{text}' is not one of {string.Join(", ", choices)}";
            return known;
        },
        byDefault);

    private static Option<T> Make<T>(string name, string placeholder, string description, Parser<T> parse, T? byDefault = default)
    {
        Option<T> option = new(name)
        {
            HelpName = placeholder,
            Description = description,
            CustomParser = result =>
            {
                if (parse(result.Tokens[^1].Value, out T value, out string? error))
                    return value;

                result.AddError($"{name}: {error}");
                return default;
            },
        };
        if (byDefault is not null)
            option.DefaultValueFactory = _ => byDefault;

        return option;
    }
}
