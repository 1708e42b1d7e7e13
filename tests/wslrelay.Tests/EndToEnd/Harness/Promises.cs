using System.Net.Sockets;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>The promises of a connection, whichever side sends first, and over every hop.</summary>
internal static class Promises
{
    /// <summary>The end comes after the last byte, and the other direction continues until its own end.</summary>
    public static async Task EndAfterTheLastByteAsync(Socket first, Socket second, int volume)
    {
        var question = new ByteStream(1);
        var answer = new ByteStream(2);

        var asked = question.ReceiveToEndAsync(second);
        await question.SendAsync(first, 0, volume);
        first.Shutdown(SocketShutdown.Send);
        Assert.Equal(volume, await asked);

        var answered = answer.ReceiveToEndAsync(first);
        await answer.SendAsync(second, 0, volume / 2);
        await Limits.PauseAsync();
        Assert.False(answered.IsCompleted);
        await answer.SendAsync(second, volume / 2, volume);
        second.Shutdown(SocketShutdown.Send);
        Assert.Equal(volume, await answered);
    }

    /// <summary>An end without any bytes arrives too.</summary>
    public static async Task EndWithoutAByteAsync(Socket first, Socket second)
    {
        first.Shutdown(SocketShutdown.Send);
        await second.AssertEndAsync();
        await second.SendAllAsync("afterwards"u8.ToArray());
        second.Shutdown(SocketShutdown.Send);
        Assert.Equal("afterwards"u8.ToArray(), await first.ReceiveToEndAsync());
    }

    /// <summary>A client that sends everything and then ends its sending gets the whole answer of an echo server.</summary>
    public static async Task AnswerToAClientThatEndedAtOnceAsync(Mapping mapping)
    {
        using var client = await mapping.ConnectAsync();
        await client.SendAllAsync("all at once"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("all at once"u8.ToArray(), await client.ReceiveToEndAsync());
    }

    /// <summary>A reset during a transfer is passed on as a reset.</summary>
    public static async Task ResetDuringTransferAsync(Socket first, Socket second)
    {
        using var stop = new CancellationTokenSource();
        var sending = new ByteStream(1).SendUntilAsync(first, stop.Token);
        await second.ReceiveExactlyAsync(4 << 20);
        first.Reset();
        await Assert.ThrowsAnyAsync<Exception>(() => sending);
        await second.AssertResetAsync();
    }

    /// <summary>Resets one side after the other has ended its sending and received half of its answer.</summary>
    public static async Task ResetDuringAnswerAsync(Socket first, Socket second)
    {
        second.Shutdown(SocketShutdown.Send);
        await first.AssertEndAsync();
        await first.SendAllAsync("half an ans"u8.ToArray());
        await second.ReceiveExactlyAsync(11);
        first.Reset();
    }
}
