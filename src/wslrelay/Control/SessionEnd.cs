namespace Wslrelay.Control;

/// <summary>How the parent ended the conversation.</summary>
internal enum SessionEnd
{
    /// <summary>It closed its end of standard input.</summary>
    EndOfFile,

    /// <summary>What it sent is not the protocol's.</summary>
    BrokenStream,
}
