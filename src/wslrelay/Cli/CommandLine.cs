using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Microsoft.Extensions.Logging;
using RelayProtocol;
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
        ParseResult result = Build().Parse(args);
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
        Option<RelayTarget> target = Options.Target();
        Option<Guid?> vmId = Options.VmId();
        Option<long?> port = Options.Integer("--port", "PORT", "The port of the agent's Hyper-V socket; needs --vm-id", 0, uint.MaxValue - 1);
        Option<long?> exitEvent = Options.ExitEvent();
        Option<long?> parentId = Options.Integer(
            "--parent-pid", "PID", "Exit when this process has exited, as at end of file on standard input", 1, int.MaxValue);
        Option<string> guestProtocol = Options.GuestProtocol();
        Option<long?> drain = Options.Integer(
            "--drain-ms", "MS", "At end of file on standard input, give open connections this many milliseconds to finish", 0, 3_600_000, 0);
        Option<bool> allowRemote = Options.AllowRemote();
        Option<long?> keepalive = Options.Keepalive();
        Option<string> logLevel = Options.LogLevel();
        Command command = new("serve", "Run as the child process of a VM manager, which sends requests to standard input and reads answers from standard output.")
        {
            target, vmId, port, guestProtocol, exitEvent, parentId, drain, allowRemote, keepalive, logLevel,
        };
        command.Validators.Add(result =>
        {
            bool hasVmId = result.GetResult(vmId) is not null;
            if (hasVmId != result.GetResult(port) is not null)
                result.AddError(hasVmId ? "--vm-id: needs --port" : "--port: needs --vm-id");
            else if (hasVmId && result.GetResult(target) is { Implicit: false })
                result.AddError("--vm-id: cannot be combined with --target");
        });
        command.SetAction(result =>
        {
            using LoopHost host = new(Options.ToEnum<LogLevel>(result.GetRequiredValue(logLevel)), (int)result.GetValue(keepalive)!.Value);
            host.WatchExitEvent(result.GetValue(exitEvent));
            return (int)ServeRunner.Run(
                host,
                result.GetValue(vmId) is { } id ? RelayTarget.HvSocket(id, (uint)result.GetValue(port)!.Value) : result.GetRequiredValue(target),
                Options.ToEnum<GuestProtocol>(result.GetRequiredValue(guestProtocol)),
                result.GetValue(allowRemote),
                (int)result.GetValue(drain)!.Value,
                result.GetValue(parentId));
        });
        return command;
    }

    private static Command Forward()
    {
        Argument<PortMapping[]> mappings = Options.Mappings();
        Option<RelayTarget> target = Options.Target();
        Option<string> guestProtocol = Options.GuestProtocol();
        Option<bool> allowRemote = Options.AllowRemote();
        Option<long?> keepalive = Options.Keepalive();
        Option<string> logLevel = Options.LogLevel();
        Command command = new("forward", "Forward ports until Ctrl+C.") { mappings, target, guestProtocol, allowRemote, keepalive, logLevel };
        command.Validators.Add(result =>
        {
            if (result.GetResult(mappings) is not { Tokens.Count: > 0 })
                result.AddError("MAPPING: at least one is required, such as 8080:80");
        });
        command.SetAction(result =>
        {
            using LoopHost host = new(Options.ToEnum<LogLevel>(result.GetRequiredValue(logLevel)), (int)result.GetValue(keepalive)!.Value);
            return (int)ForwardRunner.Run(
                host,
                result.GetRequiredValue(mappings),
                result.GetRequiredValue(target),
                Options.ToEnum<GuestProtocol>(result.GetRequiredValue(guestProtocol)),
                result.GetValue(allowRemote));
        });
        return command;
    }

    private static Command Guest()
    {
        Option<(IoEndpoint Endpoint, string Text)> listen = Options.Listen();
        Option<long?> exitEvent = Options.ExitEvent();
        Option<bool> allowAnyCid = Options.AllowAnyCid();
        Option<string> logLevel = Options.LogLevel();
        Command command = new("guest", "Run the agent inside the virtual machine or container, which connects the relay to the servers there.")
        {
            listen, exitEvent, allowAnyCid, logLevel,
        };
        command.SetAction(result =>
        {
            using LoopHost host = new(Options.ToEnum<LogLevel>(result.GetRequiredValue(logLevel)));
            host.WatchExitEvent(result.GetValue(exitEvent));
            (IoEndpoint endpoint, string text) = result.GetRequiredValue(listen);
            return (int)GuestRunner.Run(host, endpoint, text, result.GetValue(allowAnyCid));
        });
        return command;
    }

    private static Command Demo()
    {
        Option<long?> ports = Options.Integer("--ports", "N", "The number of ports to map", 1, 10_000, 100);
        Command command = new("demo", "Start a relay on this machine, map ports to a test server, and check what comes back through each.") { ports };
        command.SetAction(result => (int)DemoRunner.Run((int)result.GetValue(ports)!.Value));
        return command;
    }
}
