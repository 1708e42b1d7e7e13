using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>One answer of the relay, checked for the format that the contract defines.</summary>
internal sealed record Response(uint Id, Fault? Error, object? Result)
{
    public static Response Parse(object? message)
    {
        var parts = Assert.IsType<object?[]>(message);
        Assert.Equal(4, parts.Length);
        Assert.Equal(1L, parts[0]);
        Assert.True(parts[2] is null != parts[3] is null, "Exactly one of error and result is nil.");
        return new Response(checked((uint)Assert.IsType<long>(parts[1])), parts[2] is null ? null : Fault.Parse(parts[2]), parts[3]);
    }
}
