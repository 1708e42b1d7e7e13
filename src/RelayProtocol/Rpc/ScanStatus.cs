namespace RelayProtocol.Rpc;

/// <summary>What a <see cref="MessageScanner"/> knows after the bytes it was given.</summary>
internal enum ScanStatus
{
    /// <summary>The object goes on beyond the bytes.</summary>
    NeedMore,

    /// <summary>The object ends with the last byte consumed.</summary>
    Complete,

    /// <summary>The bytes are not MessagePack: an object begins with 0xc1.</summary>
    Malformed,

    /// <summary>The object is, or announces that it will be, larger than the limit.</summary>
    TooLarge,

    /// <summary>Arrays and maps are nested deeper than the limit.</summary>
    TooDeep,
}
