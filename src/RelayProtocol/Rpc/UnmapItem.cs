namespace RelayProtocol.Rpc;

/// <summary>One item of an <c>unmap</c> request.</summary>
/// <param name="Key">The mapping to remove.</param>
/// <param name="Drain">How long to wait for its connections before resetting them; null: they live on.</param>
internal readonly record struct UnmapItem(PortMappingKey Key, TimeSpan? Drain);
