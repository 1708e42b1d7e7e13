namespace Wslrelay.Relaying;

/// <summary>What the other end of the target understands.</summary>
internal enum GuestProtocol
{
    /// <summary>The server itself: nothing is said before the client's bytes.</summary>
    None,

    /// <summary>This project's own agent: a preamble, and an answer.</summary>
    Relay,

    /// <summary>WSL's init: its own message, and no answer.</summary>
    Wsl,
}
