using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Microsoft.Extensions.Logging;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>Parses the command line and runs the command.</summary>
internal static class CommandLine
{
    /// <summary>Errors go to standard error, each naming its argument; standard output is for the control protocol.</summary>
    internal static ExitCode Run(IReadOnlyList<string> args)
    {
        // --auto takes ports only behind "=": what follows a space is a mapping.
        ParseResult result = Build().Parse([.. args.Select(static arg => arg == Options.Auto.Name ? $"{arg}={Options.AllAuto}" : arg)]);
        if (result.Errors.Count > 0)
        {
            foreach (string message in result.Errors.Select(error => error.Message).Distinct())
                StandardError.WriteLine(message);

            string command = result.CommandResult.Command is RootCommand ? "" : $"{result.CommandResult.Command.Name} ";
            StandardError.WriteLine($"see 'wslrelay {command}--help'");
            return ExitCode.Usage;
        }

        try
        {
            // Help and version are written here; the commands write what they have to say themselves.
            using StringWriter output = new();
            int exitCode = result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = output });
            return StandardStream.Output.Write(Encoding.UTF8.GetBytes(output.ToString())) ? (ExitCode)exitCode : ExitCode.Failed;
        }
        catch (UsageException e)
        {
            StandardError.WriteLine(e.Message);
            return ExitCode.Usage;
        }
    }

    private static RootCommand Build()
    {
        Dictionary<Command, string> examples = new()
        {
            [Serve()] = "wslrelay serve --target vsock:3:7000",
            [Forward()] = "wslrelay forward 8080:80 --target direct:192.168.122.10",
            [Check()] = "wslrelay check 8080:80 --target vsock:3:7000",
            [Guest()] = "wslrelay guest --listen vsock:7000",
            [Demo()] = "wslrelay demo --ports 3",
        };
        RootCommand root = new("Forward TCP ports of this host to servers inside a virtual machine or container.");
        foreach (Command command in examples.Keys)
            root.Add(command);

        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!, examples);
        return root;
    }

    private static Command Serve()
    {
        Command command = new("serve", "Run as the child process of a VM manager, which sends requests to standard input and reads answers from standard output.")
        {
            Options.Target, Options.VmId, Options.Port, Options.GuestProtocol, Options.ExitEvent, Options.ParentId, Options.Drain, Options.AllowRemote,
            Options.Keepalive, Options.Loops, Options.LogLevel,
        };
        command.Validators.Add(result =>
        {
            bool hasVmId = result.GetResult(Options.VmId) is not null;
            if (hasVmId != result.GetResult(Options.Port) is not null)
                result.AddError(hasVmId ? "--vm-id: needs --port" : "--port: needs --vm-id");
            else if (hasVmId && result.GetResult(Options.Target) is { Implicit: false })
                result.AddError("--vm-id: cannot be combined with --target");
        });
        command.SetAction(result =>
        {
            using LoopHost host = new(LogLevelOf(result), (int)result.GetValue(Options.Keepalive)!.Value, (int)result.GetValue(Options.Loops)!.Value);
            host.WatchExitEvent(result.GetValue(Options.ExitEvent));
            RelayTarget target = result.GetValue(Options.VmId) is { } id
                ? RelayTarget.HvSocket(id, (uint)result.GetValue(Options.Port)!.Value)
                : result.GetRequiredValue(Options.Target);
            return (int)ServeRunner.Run(
                host, target, GuestProtocolOf(result), result.GetValue(Options.AllowRemote), (int)result.GetValue(Options.Drain)!.Value,
                result.GetValue(Options.ParentId));
        });
        return command;
    }

    private static Command Forward()
    {
        Command command = new("forward", "Forward ports until Ctrl+C.")
        {
            Options.Mappings, Options.Auto, Options.Exclude, Options.Proxy, Options.Target, Options.GuestProtocol, Options.AllowRemote, Options.Watch, Options.Json,
            Options.Keepalive, Options.Loops, Options.LogLevel,
        };
        command.Validators.Add(result =>
        {
            bool isAuto = result.GetResult(Options.Auto) is not null;
            if (!isAuto && result.GetResult(Options.Mappings) is not { Tokens.Count: > 0 })
                result.AddError("MAPPING: at least one is required, such as 8080:80, or --auto");
            if (!isAuto && result.GetResult(Options.Exclude) is not null)
                result.AddError("--exclude: needs --auto");
            if (result.GetValue(Options.Watch) && result.GetValue(Options.Json))
                result.AddError("--watch: cannot be combined with --json");
        });
        command.SetAction(result =>
        {
            bool watches = result.GetValue(Options.Watch);
            if (watches && StandardStream.Output.TerminalSize is null)
                throw new UsageException("--watch", "standard output is not a terminal; --json writes lines for a script");

            // The table says what failed last: lines of a log would be written over it.
            LogLevel logLevel = watches && StandardStream.Error.TerminalSize is not null ? LogLevel.None : LogLevelOf(result);
            using LoopHost host = new(logLevel, (int)result.GetValue(Options.Keepalive)!.Value, (int)result.GetValue(Options.Loops)!.Value);
            PortMapping[] mappings = result.GetValue(Options.Mappings) ?? [];
            if (result.GetValue(Options.Proxy))
                mappings = Array.ConvertAll(mappings, static mapping => mapping.Protocol == MapProtocol.Tcp ? mapping with { Proxy = 2 } : mapping);

            return (int)ForwardRunner.Run(
                host, mappings, result.GetRequiredValue(Options.Target), GuestProtocolOf(result),
                result.GetValue(Options.AllowRemote), watches ? ForwardOutput.Table : result.GetValue(Options.Json) ? ForwardOutput.Json : ForwardOutput.Lines,
                result.GetValue(Options.Auto) is { } ports ? new AutoSelection(ports, result.GetValue(Options.Exclude) ?? PortSet.Parse(""), Udp: false) : null);
        });
        return command;
    }

    private static Command Check()
    {
        Command command = new("check", "Say hop by hop whether mappings would work, and if not, what to do about it.")
        {
            Options.Mappings, Options.Target, Options.GuestProtocol, Options.Json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Options.Mappings) is not { Tokens.Count: > 0 } && result.GetResult(Options.Target) is null or { Implicit: true })
                result.AddError("MAPPING: at least one is required without --target, such as 8080:80");
        });
        command.SetAction(result =>
        {
            using LoopHost host = new(LogLevel.None);
            return (int)CheckRunner.Run(
                host, result.GetValue(Options.Mappings) ?? [], result.GetRequiredValue(Options.Target), GuestProtocolOf(result), result.GetValue(Options.Json));
        });
        return command;
    }

    private static Command Guest()
    {
        Options.Listen.Required = true;
        Command command = new("guest", "Run the agent inside the virtual machine or container, which connects the relay to the servers there.")
        {
            Options.Listen, Options.ExitEvent, Options.AllowAnyCid, Options.Loops, Options.LogLevel,
        };
        command.SetAction(result =>
        {
            using LoopHost host = new(LogLevelOf(result), loops: (int)result.GetValue(Options.Loops)!.Value);
            host.WatchExitEvent(result.GetValue(Options.ExitEvent));
            return (int)GuestRunner.Run(host, result.GetRequiredValue(Options.Listen), result.GetValue(Options.AllowAnyCid));
        });
        return command;
    }

    private static Command Demo()
    {
        Command command = new("demo", "Start a relay on this machine, map ports to a test server, and check what comes back through each.") { Options.Ports };
        command.SetAction(result => (int)DemoRunner.Run((int)result.GetValue(Options.Ports)!.Value));
        return command;
    }

    private static LogLevel LogLevelOf(ParseResult result) => Options.ToEnum<LogLevel>(result.GetRequiredValue(Options.LogLevel));

    private static GuestProtocol GuestProtocolOf(ParseResult result) => Options.ToEnum<GuestProtocol>(result.GetRequiredValue(Options.GuestProtocol));
}

internal enum ExitCode
{
    Success = 0,
    Failed = 1,
    Usage = 2,

    /// <summary>The parent sent bytes that are not the control protocol.</summary>
    BrokenStream = 3,
}

/// <summary>A valid argument that cannot be used on this machine; found before anything is listened on.</summary>
internal sealed class UsageException(string argument, string message) : Exception($"{argument}: {message}");
