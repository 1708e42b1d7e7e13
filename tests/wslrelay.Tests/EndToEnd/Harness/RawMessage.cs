namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>One MessagePack object as it came from standard output, with its bytes.</summary>
internal sealed record RawMessage(object? Value, byte[] Bytes);
