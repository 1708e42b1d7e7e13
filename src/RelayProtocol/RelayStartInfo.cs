namespace RelayProtocol;

/// <summary>The program and options of a relay to start. Set up by one thread, then read by <see cref="RelayProcess.Start(RelayStartInfo)"/>, which keeps nothing of it.</summary>
public sealed class RelayStartInfo
{
    /// <summary>A relay with default options.</summary>
    /// <param name="programPath">
    /// The relay's executable. A relative path is taken from the current directory; a bare name is looked for in PATH, and never in the
    /// current directory.
    /// </param>
    public RelayStartInfo(string programPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(programPath);
        ProgramPath = programPath;
    }

    /// <summary>The relay's executable.</summary>
    public string ProgramPath { get; }

    /// <summary>Where the relay connects to; by default the loopback address itself.</summary>
    public RelayTarget Target { get; set; } = RelayTarget.Direct;

    /// <summary>
    /// How long the relay lets connections finish after its input has ended: 0 (the default) to 1 hour, in whole milliseconds. The exit
    /// event ends it without.
    /// </summary>
    public TimeSpan Drain { get; set; }

    /// <summary>Whether addresses other than loopback ones can be mapped.</summary>
    public bool AllowRemote { get; set; }

    /// <summary>How much the relay logs to its standard error.</summary>
    public RelayLogLevel LogLevel { get; set; } = RelayLogLevel.Information;

    /// <summary>Where the relay's standard error goes.</summary>
    public RelayStandardError StandardError { get; set; }

    /// <summary>An exit event to share among relays, which stays the caller's; null: the relay gets one of its own.</summary>
    public RelayExitEvent? ExitEvent { get; set; }

    /// <summary>
    /// The process whose exit ends the relay as the end of its input does, even if yet another process has a copy of that input's other end. By default the process
    /// that starts it; null: none. The process must run, and be of the same user; a relay in another process id namespace knows it by another id.
    /// </summary>
    public int? ParentProcessId { get; set; } = Environment.ProcessId;

    /// <summary>Further arguments, after those made of the other properties.</summary>
    public IList<string> ExtraArguments { get; } = [];

    /// <summary>
    /// How long <see cref="RelayProcess.DisposeAsync"/> waits, beyond <see cref="Drain"/>, for the relay to end by itself before it is
    /// killed; 5 seconds by default, where a relay needs one at most.
    /// </summary>
    public TimeSpan ExitTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The relay's arguments, without the program's name.</summary>
    internal IReadOnlyList<string> Arguments(long exitEventNumber)
    {
        var arguments = new List<string> { "serve", "--target", Target.ToString(), "--exit-event", $"{exitEventNumber}" };
        if (ParentProcessId is { } parent)
            arguments.AddRange(["--parent-pid", $"{parent}"]);
        if (Drain > TimeSpan.Zero)
            arguments.AddRange(["--drain-ms", $"{(long)Math.Ceiling(Drain.TotalMilliseconds)}"]);
        if (AllowRemote)
            arguments.Add("--allow-remote");
        arguments.AddRange(["--log-level", $"{LogLevel}".ToLowerInvariant()]);
        arguments.AddRange(ExtraArguments);
        return arguments;
    }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Target);
        ArgumentOutOfRangeException.ThrowIfLessThan(Drain, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Drain, TimeSpan.FromHours(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(ExitTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(ParentProcessId ?? 1, 1, nameof(ParentProcessId));
        if (ExtraArguments.Any(a => a is null || a.Contains('\0', StringComparison.Ordinal)))
            throw new ArgumentException("an extra argument is null or holds a NUL character", nameof(ExtraArguments));
    }
}

/// <summary>Where a relay's standard error, its log, goes.</summary>
public enum RelayStandardError
{
    /// <summary>To the parent's own standard error; nowhere, if the parent has none.</summary>
    Inherit = 0,

    /// <summary>Nowhere.</summary>
    Discard,

    /// <summary>
    /// To <see cref="RelayProcess.StandardError"/>, which the parent must keep reading: while the pipe is full, log lines are dropped.
    /// </summary>
    Pipe,
}

/// <summary>How much a relay writes to its standard error; each level includes those before it.</summary>
public enum RelayLogLevel
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>What failed.</summary>
    Error,

    /// <summary>What may be wrong.</summary>
    Warning,

    /// <summary>Beginnings and ends; the relay's default.</summary>
    Information,

    /// <summary>Every connection.</summary>
    Debug,
}
