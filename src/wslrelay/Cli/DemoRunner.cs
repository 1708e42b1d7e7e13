namespace Wslrelay.Cli;

/// <summary>The demo.</summary>
internal static class DemoRunner
{
    internal static ExitCode Run(int ports) => ports > 0 ? ExitCode.Asked : ExitCode.Failed;
}
