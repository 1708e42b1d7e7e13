using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The agent on a scripted port, with a failure that no system produces on demand.</summary>
public sealed class GuestAgentTests
{
    [Fact]
    public void LogsThatItCannotAcceptAnyMore()
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
        port.Idle = () => throw new InvalidOperationException("the agent accepts nothing and keeps running");
        agent.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        loop.Run();
        Assert.Equal(1, failures);
    }
}
