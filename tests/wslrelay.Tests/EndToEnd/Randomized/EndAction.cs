namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>What one end of a connection can do. None waits long except the last two, which read until the other side's end.</summary>
internal enum EndAction
{
    /// <summary>Sends so many bytes; stops earlier when none is accepted for a while.</summary>
    Send,

    /// <summary>Receives so many bytes; stops earlier when none comes for a while.</summary>
    Receive,

    /// <summary>Does nothing for so many milliseconds.</summary>
    Pause,

    /// <summary>Sends one byte of urgent data.</summary>
    SendUrgent,

    /// <summary>Ends its sending and continues to receive.</summary>
    EndSending,

    /// <summary>Closes, whatever has not been read.</summary>
    Close,

    /// <summary>Closes with a reset.</summary>
    Reset,

    /// <summary>Ends its sending, receives to the end, closes.</summary>
    EndAndReadToEnd,

    /// <summary>Receives to the end, ends its sending, closes.</summary>
    ReadToEndAndEnd,
}
