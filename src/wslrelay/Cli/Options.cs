using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>The options of all commands. Each parses its own text; an error begins with the option's name.</summary>
internal static class Options
{
    /// <summary>What <c>--auto</c> alone stands for.</summary>
    internal const string AllAuto = "1024-65535";

    internal static readonly Option<RelayTarget> Target = Make(
        "--target", "TARGET", "Where connections go: direct[:HOST], tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, hvsocket:VMID:PORT or firecracker:PATH:PORT",
        RelayTarget.Parse, RelayTarget.Direct);

    internal static readonly Option<Guid?> VmId = Make<Guid?>(
        "--vm-id", "GUID", "The virtual machine to reach by Hyper-V socket; with --port short for --target hvsocket:GUID:PORT",
        static text => Guid.TryParse(text, out Guid id) ? id : throw new FormatException($"'{text}' is not a GUID"));

    internal static readonly Option<long?> Port = Integer(
        "--port", "PORT", "The port of the agent's Hyper-V socket; needs --vm-id", 0, uint.MaxValue - 1);

    internal static readonly Option<string> GuestProtocol = Choice(
        "--guest-protocol", "NAME", "What the agent at the target speaks: relay (wslrelay guest) or wsl (the init process of WSL, as of August 2026)",
        "relay", ["relay", "wsl"]);

    internal static readonly Option<long?> ExitEvent = Integer(
        "--exit-event", "HANDLE",
        "Exit when this inherited handle is signalled: an event (Windows); an eventfd, a pidfd or the read end of a pipe (Linux)", 0, long.MaxValue);

    internal static readonly Option<long?> ParentId = Integer(
        "--parent-pid", "PID", "Exit when this process has exited, as at end of file on standard input", 1, int.MaxValue);

    internal static readonly Option<long?> Drain = Integer(
        "--drain-ms", "MS", "At end of file on standard input, give open connections this many milliseconds to finish", 0, 3_600_000, 0);

    internal static readonly Option<bool> AllowRemote = new("--allow-remote") { Description = "Allow mappings on addresses that other machines can reach" };

    internal static readonly Option<bool> Watch = new("--watch") { Description = "Show a table of the mappings in the terminal, once a second" };

    internal static readonly Option<bool> Proxy = new("--proxy")
    {
        Description = "Begin each connection to a server with a PROXY protocol header, version 2, which tells it the client's address (tcp only)",
    };

    internal static readonly Option<bool> Json = new("--json") { Description = "Write JSON, for scripts" };

    internal static readonly Option<long?> Keepalive = Integer(
        "--keepalive", "SECONDS", "The time without data before TCP asks whether a peer is still there; 0: as the system has it", 0, 32767, 0);

    internal static readonly Option<long?> Loops = Integer(
        "--loops", "N", "How many threads may serve connections; more than one do so only while the relay is busy", 1, LoopGroup.MaxCount, LoopGroup.DefaultCount);

    internal static readonly Option<string> LogLevel = Choice(
        "--log-level", "LEVEL", "Log messages of this level and above to standard error: none, error, warning, information or debug",
        "information", ["none", "error", "warning", "information", "debug"]);

    internal static readonly Option<ListenEndpoint> Listen = Make(
        "--listen", "ENDPOINT", "Where to accept connections of the relay: tcp:HOST:PORT, unix:PATH or vsock:PORT", ListenEndpoint.Parse);

    internal static readonly Option<bool> AllowAnyCid = new("--allow-any-cid")
    {
        Description = "Accept vsock connections from every context, not only from the host (2) and this machine (1)",
    };

    internal static readonly Option<long?> Ports = Integer("--ports", "N", "The number of ports to map", 1, 10_000, 100);

    internal static readonly Option<PortSet?> Auto = Make<PortSet?>(
        "--auto", "PORTS", $"Map what listens in the guest to the same number, for as long as it does; PORTS ({AllAuto} unless =PORTS follows) such as 80,3000-3999", PortSet.Parse);

    internal static readonly Option<PortSet?> Exclude = Make<PortSet?>("--exclude", "PORTS", "Ports that --auto leaves out", PortSet.Parse);

    internal static readonly Argument<PortMapping[]> Mappings = new("MAPPING")
    {
        Description = "[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp|/udp], such as 8080, 8080:80, 127.0.0.1:0:80, [::1]:8080:80, localhost:8080:80, 3000-3009:3000-3009 or 5353:53/udp",
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

    internal static T ToEnum<T>(string choice)
        where T : struct, Enum => Enum.Parse<T>(choice, ignoreCase: true);

    private static Option<long?> Integer(string name, string placeholder, string description, long min, long max, long? byDefault = null) => Make<long?>(
        name, placeholder, description,
        text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= min && number <= max
            ? number
            : throw new FormatException($"'{text}' is not a number from {min} to {max}"),
        byDefault);

    private static Option<string> Choice(string name, string placeholder, string description, string byDefault, string[] choices) => Make(
        name, placeholder, description,
        text => choices.Contains(text) ? text : throw new FormatException($"'{text}' is not one of {string.Join(", ", choices)}"),
        byDefault);

    // The parser throws a FormatException.
    private static Option<T> Make<T>(string name, string placeholder, string description, Func<string, T> parse, T? byDefault = default)
    {
        Option<T> option = new(name)
        {
            HelpName = placeholder,
            Description = description,
            CustomParser = result =>
            {
                try
                {
                    return parse(result.Tokens[^1].Value);
                }
                catch (FormatException e)
                {
                    result.AddError($"{name}: {e.Message}");
                    return default;
                }
            },
        };
        if (byDefault is not null)
            option.DefaultValueFactory = _ => byDefault;

        return option;
    }
}
