namespace Wslrelay.Cli;

/// <summary>The program's own commands.</summary>
internal sealed class CommandHandlers : ICommandHandlers
{
    /// <inheritdoc/>
    public ExitCode Serve(ServeOptions options) => new ServeRunner(options).Run();

    /// <inheritdoc/>
    public ExitCode Forward(ForwardOptions options) => new ForwardRunner(options).Run();

    /// <inheritdoc/>
    public ExitCode Guest(GuestOptions options) => new GuestRunner(options).Run();

    /// <inheritdoc/>
    public ExitCode Demo(int ports) => DemoRunner.Run(ports);
}
