using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>Runs one end's script on its socket, on the calling thread, and records the results.</summary>
internal sealed class EndRun(EndScript script, EndScript other, int streamOut, int streamIn)
{
    private static readonly byte[] Block = Net.RandomBytes(1_048_573);

    // How long a step waits for the other side before the script continues. The promises do not depend on it.
    private static readonly TimeSpan StepLimit = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(60);

    public EndScript Script => script;

    /// <summary>Bytes that the system accepted from it; the urgent one is not counted.</summary>
    public long Sent { get; private set; }

    /// <summary>Bytes that it received.</summary>
    public long Received { get; private set; }

    /// <summary>It has ended its sending, without a reset before.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>It has read the end of the other side's sending.</summary>
    public bool SawEnd { get; private set; }

    /// <summary>A call has reported a reset to it.</summary>
    public bool SawReset { get; private set; }

    /// <summary>What it saw that must never happen, whatever the scripts.</summary>
    public string? Violation { get; private set; }

    // The other side ends its sending and resets later; this side has read the end, and may still send: the reset must reach it.
    private bool MustSeeLateReset => SawEnd && !HasEnded && !SawReset && other.Last == EndAction.Reset;

    public void Run(Socket socket)
    {
        using (socket)
        {
            // Without Nagle's algorithm, so that what is sent before a reset is in flight then, and not waiting for an acknowledgement (RFC 9293, 3.7.4).
            socket.NoDelay = true;
            foreach (var step in script.Steps)
                Do(socket, step);
        }
    }

    public override string ToString() =>
        $"sent {Sent}, received {Received}{(HasEnded ? ", ended" : "")}{(SawEnd ? ", saw the end" : "")}{(SawReset ? ", saw a reset" : "")}{(Violation is null ? "" : $", {Violation}")}";

    private void Do(Socket socket, EndStep step)
    {
        switch (step.Action)
        {
            case EndAction.Send:
                Send(socket, step.Amount);
                break;
            case EndAction.Receive:
                Receive(socket, step.Amount, StepLimit);
                break;
            case EndAction.Pause:
                Thread.Sleep(step.Amount);
                break;
            case EndAction.SendUrgent:
                Failed(RawSocket.Send(socket, "!"u8, urgent: true));
                break;
            case EndAction.EndSending:
                EndSending(socket);
                break;
            case EndAction.Reset:
                socket.LingerState = new LingerOption(true, 0);
                break;
            case EndAction.EndAndReadToEnd:
                EndSending(socket);
                ReadToEnd(socket);
                break;
            case EndAction.ReadToEndAndEnd:
                ReadToEnd(socket);
                EndSending(socket);
                break;
        }
    }

    private void Send(Socket socket, int count)
    {
        for (var end = Sent + count; Sent < end;)
        {
            var sent = RawSocket.Send(socket, At(streamOut, Sent, end - Sent));
            if (sent > 0)
                Sent += sent;
            else if (Failed(sent) || !RawSocket.WaitToSend(socket, StepLimit))
                return;
        }
    }

    // Whether it stopped because nothing came for so long.
    private bool Receive(Socket socket, long count, TimeSpan limit)
    {
        var buffer = new byte[(int)Math.Min(count, 64 * 1024)];
        for (var end = Received + count; Received < end && !SawEnd;)
        {
            var received = RawSocket.Receive(socket, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - Received)));
            if (received > 0)
            {
                Check(buffer.AsSpan(0, received));
            }
            else if (received == 0)
            {
                // After a reset that was reported to another call, Linux reports only this (tcp_recvmsg).
                SawEnd = !SawReset;
                return false;
            }
            else if (Failed(received))
            {
                return false;
            }
            else if (!RawSocket.WaitToReceive(socket, limit))
            {
                return true;
            }
        }

        return false;
    }

    private void ReadToEnd(Socket socket)
    {
        if (Receive(socket, long.MaxValue / 2, HangLimit))
            Violation = "the other side's end never came";
        else if (MustSeeLateReset && !(SawReset = RawSocket.WaitForReset(socket, HangLimit)))
            Violation = "the other side's reset never came";
    }

    private void EndSending(Socket socket)
    {
        try
        {
            if (!SawReset && !HasEnded)
            {
                socket.Shutdown(SocketShutdown.Send);
                HasEnded = true;
            }
        }
        catch (SocketException)
        {
            // Not connected any more (shutdown(2), ENOTCONN).
            SawReset = true;
        }
    }

    private bool Failed(int result)
    {
        switch (-result)
        {
            case RawSocket.ECONNRESET or RawSocket.EPIPE:
                SawReset = true;
                return true;
            case > 0 and not RawSocket.EAGAIN:
                Violation = $"errno {-result}";
                return true;
            default:
                return false;
        }
    }

    private void Check(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var expected = At(streamIn, Received, bytes.Length);
            if (!bytes[..expected.Length].SequenceEqual(expected))
                Violation ??= $"a wrong byte between {Received} and {Received + expected.Length}";

            Received += expected.Length;
            bytes = bytes[expected.Length..];
        }
    }

    // At most this many bytes of an endless stream, from this position.
    private static ReadOnlySpan<byte> At(int stream, long position, long most)
    {
        var start = (int)((position + (stream * 7919L)) % Block.Length);
        return Block.AsSpan(start, (int)Math.Min(most, Block.Length - start));
    }
}
