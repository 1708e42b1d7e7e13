using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>An error map of the contract.</summary>
internal sealed record Fault(long Code, string Name, string Message, long? Index)
{
    /// <summary>The contract's table: name to HRESULT.</summary>
    public static readonly IReadOnlyDictionary<string, int> Codes = new Dictionary<string, int>
    {
        ["AddressInUse"] = unchecked((int)0x80072740),
        ["AccessDenied"] = unchecked((int)0x80070005),
        ["AddressNotAvailable"] = unchecked((int)0x80072741),
        ["AddressNotAllowed"] = unchecked((int)0x80070032),
        ["NotSupported"] = unchecked((int)0x80070032),
        ["NotFound"] = unchecked((int)0x80070490),
        ["TooManyOpenFiles"] = unchecked((int)0x80070004),
        ["InvalidParams"] = unchecked((int)0x80070057),
        ["MethodNotFound"] = unchecked((int)0x80070001),
        ["ConnectionRefused"] = unchecked((int)0x8007274D),
        ["TimedOut"] = unchecked((int)0x8007274C),
        ["HostUnreachable"] = unchecked((int)0x80072751),
        ["Internal"] = unchecked((int)0x8000FFFF),
    };

    public static Fault Parse(object? error)
    {
        var map = Assert.IsType<MsgMap>(error);
        Assert.Empty(map.Keys.Except(["code", "name", "message", "index"]));
        var fault = new Fault(
            Assert.IsType<long>(map["code"]),
            Assert.IsType<string>(map["name"]),
            Assert.IsType<string>(map["message"]),
            map.TryGetValue("index", out var index) ? Assert.IsType<long>(index) : null);
        Assert.Contains(fault.Name, Codes.Keys);
        Assert.Equal(Codes[fault.Name], fault.Code);
        Assert.NotEmpty(fault.Message);
        return fault;
    }
}
