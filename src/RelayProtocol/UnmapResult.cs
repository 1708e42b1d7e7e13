namespace RelayProtocol;

/// <summary>What became of one removed mapping's connections.</summary>
/// <param name="Active">Connections still open when the answer was sent; they live on until they end by themselves.</param>
/// <param name="Reset">Connections that were reset because the drain's time was over.</param>
public sealed record UnmapResult(long Active, long Reset);
