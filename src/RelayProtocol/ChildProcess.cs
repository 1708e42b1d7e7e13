namespace RelayProtocol;

/// <summary>A started child and the parent's ends of its pipes. Any thread, except the streams: one reader and one writer each.</summary>
internal abstract class ChildProcess : IDisposable
{
    private readonly TaskCompletionSource<int?> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal abstract int Id { get; }

    internal Stream Input { get; set; } = null!;

    /// <summary>Reads the child's standard output; end of file as soon as the child has exited.</summary>
    internal Stream Output { get; set; } = null!;

    internal Stream? Error { get; set; }

    /// <summary>
    /// Completes when the child has exited, with its exit code; on Linux minus the signal's number when a signal ended it, and null
    /// when something else in this process has reaped it.
    /// </summary>
    internal Task<int?> Exited => _exited.Task;

    /// <summary>Ends the child at once; nothing happens if it has exited.</summary>
    internal abstract void Kill();

    /// <summary>Closes the streams. On Windows this ends the child; on Linux it does not.</summary>
    public virtual void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
        Error?.Dispose();
    }

    protected void SetExited(int? exitCode) => _exited.TrySetResult(exitCode);
}
