namespace Wslrelay.Control;

internal enum SessionEnd
{
    EndOfFile,

    /// <summary>The parent sent bytes that are not the control protocol.</summary>
    BrokenStream,
}
