namespace Wslrelay.Io;

/// <summary>A set-up call (listening, or opening a handle) failed. Thrown on the caller's thread.</summary>
internal sealed class IoException(IoError error, int nativeError, string message) : Exception(message)
{
    public IoError Error { get; } = error;

    /// <summary>The system's own number; 0 if there is none.</summary>
    public int NativeError { get; } = nativeError;
}
