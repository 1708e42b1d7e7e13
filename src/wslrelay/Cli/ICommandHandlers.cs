namespace Wslrelay.Cli;

/// <summary>What the commands do, apart from how they are written on the command line.</summary>
internal interface ICommandHandlers
{
    /// <summary>Runs <c>serve</c> until it is asked to end.</summary>
    ExitCode Serve(ServeOptions options);

    /// <summary>Runs <c>forward</c> until it is asked to end.</summary>
    ExitCode Forward(ForwardOptions options);

    /// <summary>Runs <c>guest</c> until it is asked to end.</summary>
    ExitCode Guest(GuestOptions options);

    /// <summary>Runs <c>demo</c> with so many ports.</summary>
    ExitCode Demo(int ports);
}
