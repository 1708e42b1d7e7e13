namespace RelayProtocol.MessagePack;

/// <summary>The limits of the formats that hold their value or count within the first byte. Immutable.</summary>
/// <remarks>Source: the "Formats" table of the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.</remarks>
public static class MessagePackRange
{
    /// <summary>The lowest integer of one byte.</summary>
    public const int MinFixNegativeInt = -32;

    /// <summary>The highest negative integer.</summary>
    public const int MaxFixNegativeInt = -1;

    /// <summary>The highest integer of one byte.</summary>
    public const int MaxFixPositiveInt = 127;

    /// <summary>The shortest fixstr, in bytes.</summary>
    public const int MinFixStringLength = 0;

    /// <summary>The longest fixstr, in bytes.</summary>
    public const int MaxFixStringLength = 31;

    /// <summary>The most pairs of a fixmap.</summary>
    public const int MaxFixMapCount = 15;

    /// <summary>The most elements of a fixarray.</summary>
    public const int MaxFixArrayCount = 15;
}
