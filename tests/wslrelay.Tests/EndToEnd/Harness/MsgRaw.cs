namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Bytes that the encoder copies as they are: an encoding which it would not choose by itself.</summary>
internal sealed record MsgRaw(params byte[] Bytes);
