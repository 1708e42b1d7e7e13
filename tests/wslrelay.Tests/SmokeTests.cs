using Xunit;

namespace Wslrelay.Tests;

public class SmokeTests
{
    [Fact]
    public void Runs() => Assert.Equal(1, global::RelayProtocol.Rpc.WireFormat.ProtocolVersion);
}
