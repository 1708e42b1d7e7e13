namespace RelayProtocol;

/// <summary>A started child and the parent's ends of its pipes. Members are safe for any thread; the streams are as streams are.</summary>
internal abstract class ChildProcess : IDisposable
{
    private readonly TaskCompletionSource<int?> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The child's process id.</summary>
    internal abstract int Id { get; }

    /// <summary>Writes to the child's standard input.</summary>
    internal required Stream Input { get; init; }

    /// <summary>Reads the child's standard output; end of file as soon as the child is gone.</summary>
    internal required Stream Output { get; init; }

    /// <summary>Reads the child's standard error, if it was asked for.</summary>
    internal required Stream? Error { get; init; }

    /// <summary>
    /// Completes when the child is gone, with its exit code; on Linux minus the signal's number when a signal ended it, and null
    /// when something else in this process took the code.
    /// </summary>
    internal Task<int?> Exited => _exited.Task;

    /// <summary>Ends the child at once; nothing happens if it is gone.</summary>
    internal abstract void Kill();

    /// <summary>Closes the streams. Does not end the child of itself on Linux; does on Windows.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the streams, and in a platform's override what else it holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        Input.Dispose();
        Output.Dispose();
        Error?.Dispose();
    }

    /// <summary>The platform's word that the child is gone.</summary>
    protected void SetExited(int? exitCode) => _exited.TrySetResult(exitCode);
}
