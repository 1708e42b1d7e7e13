using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

[SupportedOSPlatform("linux")]
public class LoopTurnTests
{
    private const int BusyOperations = 8;

    [Fact]
    public void AnOperationThatIsWokenRunsBeforeOnesThatHaveYieldedRunAgain()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a completion packet may take longer than a turn");
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        using Socket client = LoopFixture.ConnectClient(listener.Port);
        IoSocket accepted = listener.Take();
        int runs = 0;
        int runsAtSend = 0;
        int runsAtReceive = 0;
        List<Completion> busy = [];
        Completion receive = loop.Start(owner =>
        {
            TransferOperation operation = loop.Port.Receive(accepted, owner);
            operation.Buffer = new byte[1];
            return operation;
        });
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Do(() =>
        {
            for (int i = 0; i < BusyOperations; i++)
            {
                busy.Add(loop.StartHere(owner => new BusyOperation(owner, () =>
                {
                    if (++runs == (10 * BusyOperations) + 1)
                    {
                        client.Send(new byte[1]);
                        runsAtSend = runs;
                    }
                    else if (runsAtSend > 0 && runsAtReceive == 0 && receive.Count > 0)
                    {
                        runsAtReceive = runs;
                        received.SetResult();
                    }
                })));
            }
        });
        loop.Await(received.Task);
        loop.Do(() =>
        {
            busy.ForEach(completion => completion.Operation.Cancel());
            accepted.Close(abort: true);
        });
        Assert.Equal(runsAtSend + 1, runsAtReceive);
    }

    /// <summary>Always has more to do, like a pump of a large transfer.</summary>
    private sealed class BusyOperation(IIoOwner owner, Action run) : IoOperation(owner)
    {
        protected internal override void Schedule()
        {
            run();
            Yield();
        }

        protected internal override void Collect(in IoEvent wake) => throw new InvalidOperationException("no event is expected");

        protected internal override void CancelPending()
        {
        }
    }
}
