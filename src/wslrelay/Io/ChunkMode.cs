namespace Wslrelay.Io;

/// <summary>
/// Whether a pump marks the end of sending in the stream itself, for a hop whose family cannot tell it from a reset: a chunk is its length in
/// four bytes, the highest first, and so many bytes; one of length 0 is the end of sending (protocol, section 3).
/// </summary>
internal enum ChunkMode
{
    /// <summary>Bytes as they are.</summary>
    None,

    /// <summary>The receiving side gets chunks. Its hop is not half-closed.</summary>
    Write,

    /// <summary>The sending side sends chunks. An end without its mark is a reset.</summary>
    Read,
}
