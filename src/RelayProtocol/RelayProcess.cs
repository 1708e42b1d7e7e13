namespace RelayProtocol;

/// <summary>
/// A relay as a child process: it inherits its standard handles and an exit event and nothing else, and ends when its parent does,
/// however that ends. Every member is safe for any thread.
/// </summary>
public sealed class RelayProcess : IAsyncDisposable
{
    private readonly ChildProcess _child;
    private readonly RelayExitEvent _exitEvent;
    private readonly bool _ownsExitEvent;
    private readonly TimeSpan _exitTimeout;
    private int _disposed;

    private RelayProcess(ChildProcess child, RelayExitEvent exitEvent, bool ownsExitEvent, TimeSpan exitTimeout)
    {
        _child = child;
        _exitEvent = exitEvent;
        _ownsExitEvent = ownsExitEvent;
        _exitTimeout = exitTimeout;
        Client = new RelayClient(child.Output, child.Input, child.Exited);
    }

    /// <summary>The relay's process id. Another process can have it once the relay has ended.</summary>
    public int Id => _child.Id;

    /// <summary>Maps and unmaps ports. Disposed with the process, and not to be disposed by itself.</summary>
    public RelayClient Client { get; }

    /// <summary>
    /// Reads the relay's log, UTF-8 lines, if <see cref="RelayStartInfo.StandardError"/> is <see cref="RelayStandardError.Pipe"/>; else
    /// null. Must be read all the time: a full pipe blocks the relay's log, and lines are dropped.
    /// </summary>
    public Stream? StandardError => _child.Error;

    /// <summary>Starts a relay. It is ready as soon as it answers the first call; nothing has to be waited for.</summary>
    /// <param name="startInfo">The program and its options.</param>
    /// <exception cref="FileNotFoundException">There is no such program.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">The system refuses; the message names the program.</exception>
    /// <exception cref="ArgumentException">A property is out of range.</exception>
    /// <exception cref="PlatformNotSupportedException">This is neither Linux nor Windows.</exception>
    public static RelayProcess Start(RelayStartInfo startInfo)
    {
        ArgumentNullException.ThrowIfNull(startInfo);
        startInfo.Validate();
        return Start(startInfo, startInfo.Arguments);
    }

    /// <summary>As the public one, with other arguments: tests start other programs with it.</summary>
    internal static RelayProcess Start(RelayStartInfo startInfo, Func<long, IReadOnlyList<string>> arguments)
    {
        RelayExitEvent exitEvent = startInfo.ExitEvent ?? new RelayExitEvent();
        bool owned = startInfo.ExitEvent is null;
        try
        {
            ChildProcess child = Platform.Current.Start(new ChildStart(
                FullPath(startInfo.ProgramPath), exitEvent.Handle, arguments, startInfo.StandardError));
            return new RelayProcess(child, exitEvent, owned, startInfo.Drain + startInfo.ExitTimeout);
        }
        catch when (owned)
        {
            exitEvent.Dispose();
            throw;
        }
    }

    /// <summary>Waits for the relay's end.</summary>
    /// <param name="cancellationToken">Stops the waiting, not the relay.</param>
    /// <returns>
    /// Its exit code: 0 asked to end, 1 failed, 2 usage, 3 broken protocol stream; on Linux minus the signal's number if a signal ended
    /// it; null if something else in this process took the code (a program that ignores SIGCHLD, or waits for every child).
    /// </returns>
    public Task<int?> WaitForExitAsync(CancellationToken cancellationToken = default) => _child.Exited.WaitAsync(cancellationToken);

    /// <summary>Signals the exit event: the relay resets what is open and ends within a second. Does not wait.</summary>
    /// <remarks>If the event is shared, every relay that has it ends.</remarks>
    /// <exception cref="ObjectDisposedException">The process, or the shared event, has been disposed.</exception>
    public void SignalExit() => _exitEvent.Signal();

    /// <summary>
    /// Ends the relay's input once the requests made so far are written: the relay drains for as long as
    /// <see cref="RelayStartInfo.Drain"/> says, and ends. Does not wait.
    /// </summary>
    public void CloseInput() => Client.CloseInput();

    /// <summary>Ends the relay at once, as the system ends a process; nothing happens if it has ended. Does not wait.</summary>
    public void Kill() => _child.Kill();

    /// <summary>
    /// Ends the relay's input, waits for <see cref="RelayStartInfo.Drain"/> and <see cref="RelayStartInfo.ExitTimeout"/> at most, kills the
    /// relay if it is still there, and closes everything. The relay is gone when this returns.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Client.CloseInput();
        await Task.WhenAny(_child.Exited, Task.Delay(_exitTimeout)).ConfigureAwait(false);
        if (!_child.Exited.IsCompleted)
        {
            _child.Kill();
            await _child.Exited.ConfigureAwait(false);
        }
        await Client.DisposeAsync().ConfigureAwait(false);
        _child.Dispose();
        if (_ownsExitEvent)
            _exitEvent.Dispose();
    }

    /// <summary>
    /// The full path of a program. A path is taken from the current directory; a bare name is looked for in the directories of PATH, those that are given in full,
    /// and never in the current directory.
    /// </summary>
    /// <exception cref="FileNotFoundException">No directory of PATH has it.</exception>
    private static string FullPath(string program)
    {
        if (Path.GetFileName(program) != program)
            return Path.GetFullPath(program);

        string file = Path.PathSeparator == ';' && !Path.HasExtension(program) ? program + ".exe" : program;
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            string candidate = Path.Combine(folder, file);
            if (Path.IsPathFullyQualified(candidate) && File.Exists(candidate))
                return candidate;
        }

        throw new FileNotFoundException($"cannot start '{program}': no directory of PATH has it; give its full path", program);
    }
}
