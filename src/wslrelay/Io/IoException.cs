namespace Wslrelay.Io;

/// <summary>A set-up call failed: listening, or opening a handle. Thrown to the caller of that call, on its thread.</summary>
internal sealed class IoException(IoError error, int nativeError, string message) : Exception(message)
{
    /// <summary>What it means.</summary>
    public IoError Error { get; } = error;

    /// <summary>The system's own number, 0 where there is none.</summary>
    public int NativeError { get; } = nativeError;
}
