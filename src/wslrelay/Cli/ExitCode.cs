namespace Wslrelay.Cli;

internal enum ExitCode
{
    Success = 0,
    Failed = 1,
    Usage = 2,

    /// <summary>The parent sent bytes that are not the control protocol.</summary>
    BrokenStream = 3,
}
