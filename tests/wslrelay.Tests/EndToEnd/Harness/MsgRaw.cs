namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Bytes that the encoder copies unchanged: an encoding that it does not write by itself.</summary>
internal sealed record MsgRaw(params byte[] Bytes);
