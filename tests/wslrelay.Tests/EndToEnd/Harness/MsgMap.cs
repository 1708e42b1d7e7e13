namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>A MessagePack map with text keys, in the order in which it was written or read.</summary>
internal sealed class MsgMap : OrderedDictionary<string, object?>;
