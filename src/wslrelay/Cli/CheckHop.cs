using System.Globalization;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;

namespace Wslrelay.Cli;

/// <summary>One step on the way of a mapping's connections, and whether it works.</summary>
/// <param name="Mapping">The mapping; null where only the target is checked.</param>
/// <param name="Name">What is checked.</param>
/// <param name="Result"><c>ok</c>, <c>fail</c> or <c>skip</c>.</param>
/// <param name="Time">How long it took; null where nothing was waited for.</param>
/// <param name="Message">What was found; of a failure also what to do about it.</param>
internal sealed record CheckHop(PortMapping? Mapping, string Name, string Result, TimeSpan? Time, string Message)
{
    internal static CheckHop Ok(PortMapping? mapping, string name, TimeSpan? time, string message) => new(mapping, name, "ok", time, message);

    internal static CheckHop Fail(PortMapping? mapping, string name, string message) => new(mapping, name, "fail", null, message);

    internal static CheckHop Skip(PortMapping? mapping, string name, string message) => new(mapping, name, "skip", null, message);

    internal bool HasFailed => Result == "fail";

    internal static void Write(ref MessagePackWriter writer, CheckHop hop) => writer.WriteMap(
        new("name", hop.Name),
        new("result", hop.Result),
        Field.Of("milliseconds", hop.Time, static (ref writer, time) => writer.Write(Math.Round(time!.Value.TotalMilliseconds, 3))),
        new("message", hop.Message),
        new("mapping", hop.Mapping?.ToString()));

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Result,-4}  {Name,-13}  {Message}{(Time is { } time ? $" ({time.TotalMilliseconds:0.0} ms)" : "")}");
}
