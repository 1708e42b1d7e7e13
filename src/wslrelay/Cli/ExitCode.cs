namespace Wslrelay.Cli;

/// <summary>What the program ends with.</summary>
internal enum ExitCode
{
    /// <summary>Asked to end.</summary>
    Asked = 0,

    /// <summary>Failed.</summary>
    Failed = 1,

    /// <summary>The command line was wrong.</summary>
    Usage = 2,

    /// <summary>The parent sent what is not the protocol's.</summary>
    BrokenStream = 3,
}
