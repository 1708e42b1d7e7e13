using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The agent on a port that fails as no system does on demand.</summary>
public sealed class GuestAgentTests
{
    [Fact]
    public void SaysSoWhenItCannotAcceptAnyMore()
    {
        using var port = new ScriptedPort { AcceptError = IoError.TooManyOpenFiles };
        var loop = new IoLoop(port);
        var failures = 0;
        var agent = new GuestAgent(loop, new RelayLog(NullLogger.Instance), allowAnyCid: false)
        {
            AcceptFailed = () =>
            {
                failures++;
                loop.Stop();
            },
        };
        port.Idle = () => throw new InvalidOperationException("the agent is deaf and lives on");
        agent.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        loop.Run();
        Assert.Equal(1, failures);
    }
}
