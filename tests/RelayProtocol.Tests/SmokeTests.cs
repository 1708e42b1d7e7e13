using Xunit;

namespace RelayProtocol.Tests;

public class SmokeTests
{
    [Fact]
    public void Runs() => Assert.Equal(1, ProtocolVersion.Current);
}
