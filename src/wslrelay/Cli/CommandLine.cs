using System.CommandLine;
using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Wslrelay.Diagnostics;

namespace Wslrelay.Cli;

/// <summary>The command line: parses, and hands over to <see cref="ICommandHandlers"/>.</summary>
internal static class CommandLine
{
    /// <summary>Parses and runs. Usage errors go to standard error, each naming its argument; standard output is the protocol's.</summary>
    internal static ExitCode Run(IReadOnlyList<string> args, ICommandHandlers handlers)
    {
        ParseResult result = Build(handlers).Parse(args);
        if (result.Errors.Count > 0)
        {
            foreach (string message in result.Errors.Select(error => error.Message).Distinct())
            {
                StandardError.WriteLine($"{message}");
            }

            StandardError.WriteLine("see 'wslrelay --help' for what it takes");
            return ExitCode.Usage;
        }

        try
        {
            return (ExitCode)result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (UsageException e)
        {
            StandardError.WriteLine($"{e.Message}");
            return ExitCode.Usage;
        }
    }

    private static RootCommand Build(ICommandHandlers handlers) =>
        new("wslrelay: carries TCP connections from ports of this host to servers inside a virtual machine or container.")
        {
            Serve(handlers),
            Forward(handlers),
            Guest(handlers),
            Demo(handlers),
        };

    private static Command Serve(ICommandHandlers handlers)
    {
        Option<RelayTarget?> target = Options.Target();
        Option<Guid?> vmId = Options.VmId();
        Option<long?> port = Options.Integer("--port", "PORT", "The agent's port at the Hyper-V socket; goes with --vm-id.", 0, uint.MaxValue - 1);
        Option<long?> exitEvent = Options.ExitEvent();
        Option<GuestProtocol?> protocol = Options.Protocol();
        Option<long?> drain = Options.Integer(
            "--drain-ms", "N", "After end of file on standard input, let connections go on for at most so many milliseconds. Default: 0.", 0, 3_600_000);
        Option<bool> allowRemote = Options.AllowRemote();
        Option<LogLevel?> level = Options.Level();
        Command command = new("serve", "Be a parent's child: takes map and unmap messages on standard input, answers on standard output.")
        {
            target, vmId, port, protocol, exitEvent, drain, allowRemote, level,
        };
        command.Validators.Add(result =>
        {
            bool hasVmId = result.GetResult(vmId) is not null;
            if (hasVmId != result.GetResult(port) is not null)
            {
                result.AddError(hasVmId ? "--vm-id: --port is needed too" : "--port: --vm-id is needed too");
            }
            else if (hasVmId && result.GetResult(target) is not null)
            {
                result.AddError("--vm-id: --target says where to connect already; give one of them");
            }
        });
        command.SetAction(result => (int)handlers.Serve(new ServeOptions(
            result.GetValue(vmId) is { } id ? RelayTarget.HvSocket(id, (uint)result.GetValue(port)!.Value) : result.GetValue(target) ?? RelayTarget.Direct,
            result.GetValue(exitEvent),
            (int)(result.GetValue(drain) ?? 0),
            result.GetValue(protocol) ?? GuestProtocol.Relay,
            result.GetValue(allowRemote),
            result.GetValue(level) ?? LogLevel.Information)));
        return command;
    }

    private static Command Forward(ICommandHandlers handlers)
    {
        Argument<PortMapping[]> mappings = Options.Mappings();
        Option<RelayTarget?> target = Options.Target();
        Option<GuestProtocol?> protocol = Options.Protocol();
        Option<bool> allowRemote = Options.AllowRemote();
        Option<LogLevel?> level = Options.Level();
        Command command = new("forward", "Relay by hand, without a parent, until Ctrl+C.") { mappings, target, protocol, allowRemote, level };
        command.Validators.Add(result =>
        {
            if (result.GetResult(mappings) is not { Tokens.Count: > 0 })
            {
                result.AddError("MAPPING: at least one is needed, as in 8080:80");
            }
        });
        command.SetAction(result => (int)handlers.Forward(new ForwardOptions(
            result.GetRequiredValue(mappings),
            result.GetValue(target) ?? RelayTarget.Direct,
            result.GetValue(protocol) ?? GuestProtocol.Relay,
            result.GetValue(allowRemote),
            result.GetValue(level) ?? LogLevel.Information)));
        return command;
    }

    private static Command Guest(ICommandHandlers handlers)
    {
        Option<(IoEndpoint Endpoint, string Text)?> listen = Options.Listen();
        listen.Required = true;
        Option<long?> exitEvent = Options.ExitEvent();
        Option<bool> allowAnyCid = Options.AllowAnyCid();
        Option<LogLevel?> level = Options.Level();
        Command command = new("guest", "Be the agent inside the virtual machine or container, to which the relay's target leads.") { listen, exitEvent, allowAnyCid, level };
        command.SetAction(result =>
        {
            (IoEndpoint endpoint, string text) = result.GetValue(listen)!.Value;
            return (int)handlers.Guest(new GuestOptions(
                endpoint, text, result.GetValue(exitEvent), result.GetValue(allowAnyCid), result.GetValue(level) ?? LogLevel.Information));
        });
        return command;
    }

    private static Command Demo(ICommandHandlers handlers)
    {
        Option<long?> ports = Options.Integer("--ports", "N", "How many ports to map. Default: 100.", 1, 10_000);
        Command command = new("demo", "Show the whole on this machine: a parent, the relay as its child, and a guest server.") { ports };
        command.SetAction(result => (int)handlers.Demo((int)(result.GetValue(ports) ?? 100)));
        return command;
    }
}
