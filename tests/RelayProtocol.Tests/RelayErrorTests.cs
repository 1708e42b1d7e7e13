using Xunit;

namespace RelayProtocol.Tests;

public class RelayErrorTests
{
    [Theory]
    [InlineData(RelayErrorCode.AddressInUse, "AddressInUse", 0x80072740)]
    [InlineData(RelayErrorCode.AccessDenied, "AccessDenied", 0x80070005)]
    [InlineData(RelayErrorCode.AddressNotAvailable, "AddressNotAvailable", 0x80072741)]
    [InlineData(RelayErrorCode.AddressNotAllowed, "AddressNotAllowed", 0x80070032)]
    [InlineData(RelayErrorCode.NotSupported, "NotSupported", 0x80070032)]
    [InlineData(RelayErrorCode.NotFound, "NotFound", 0x80070490)]
    [InlineData(RelayErrorCode.TooManyOpenFiles, "TooManyOpenFiles", 0x80070004)]
    [InlineData(RelayErrorCode.InvalidParams, "InvalidParams", 0x80070057)]
    [InlineData(RelayErrorCode.MethodNotFound, "MethodNotFound", 0x80070001)]
    [InlineData(RelayErrorCode.ConnectionRefused, "ConnectionRefused", 0x8007274D)]
    [InlineData(RelayErrorCode.TimedOut, "TimedOut", 0x8007274C)]
    [InlineData(RelayErrorCode.HostUnreachable, "HostUnreachable", 0x80072751)]
    [InlineData(RelayErrorCode.Internal, "Internal", 0x8000FFFF)]
    public void Each_error_has_the_protocols_name_and_number(RelayErrorCode code, string name, uint number)
    {
        Assert.Equal(name, code.ToString());
        Assert.Equal(unchecked((int)number), code.Hresult());
        Assert.Equal(code, RelayErrorCodes.FromName(name));
        Assert.Equal(code, new RelayError(code, "x").Kind);
    }

    [Fact]
    public void The_table_of_errors_is_complete() => Assert.Equal(14, Enum.GetValues<RelayErrorCode>().Length);

    [Theory]
    [InlineData("addressinuse")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("Unknown")]
    public void A_name_of_a_later_version_is_unknown(string? name) =>
        Assert.Equal(RelayErrorCode.Unknown, RelayErrorCodes.FromName(name));

    [Fact]
    public void The_exception_carries_number_and_message()
    {
        var thrown = new RelayException(RelayErrorCode.AddressInUse, "127.0.0.1:80/tcp is mapped already", 3);
        Assert.Equal(unchecked((int)0x80072740), thrown.HResult);
        Assert.Equal("127.0.0.1:80/tcp is mapped already", thrown.Message);
        Assert.Equal(3, thrown.Error.Index);
        Assert.Equal("AddressInUse (0x80072740): 127.0.0.1:80/tcp is mapped already", thrown.Error.ToString());
    }

    [Fact]
    public void Unknown_has_no_number() => Assert.Throws<ArgumentOutOfRangeException>(() => RelayErrorCode.Unknown.Hresult());
}
