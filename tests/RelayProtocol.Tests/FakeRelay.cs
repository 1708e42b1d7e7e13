using System.IO.Pipes;
using RelayProtocol.Tests.Rpc;
using Xunit;

namespace RelayProtocol.Tests;

/// <summary>The relay's ends of two real pipes, and a client on the others. What the test writes by hand is what the client reads.</summary>
internal sealed class FakeRelay : IAsyncDisposable
{
    private readonly AnonymousPipeServerStream _toClient = new(PipeDirection.Out);
    private readonly AnonymousPipeServerStream _fromClient = new(PipeDirection.In);

    public FakeRelay(Task<int?>? exited = null) => Client = new RelayClient(
        new AnonymousPipeClientStream(PipeDirection.In, Take(_toClient)), new AnonymousPipeClientStream(PipeDirection.Out, Take(_fromClient)), exited);

    public RelayClient Client { get; }

    /// <summary>Far later than any step takes: it only ends a hang.</summary>
    public static CancellationToken Deadline => new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;

    public async Task<byte[]> ReadAsync(int count)
    {
        byte[] bytes = new byte[count];
        await _fromClient.ReadExactlyAsync(bytes, Deadline);
        return bytes;
    }

    /// <summary>Reads one <c>list</c> request, the only message that is read by its length here: ids below 128.</summary>
    public async Task<int> ReadListAsync()
    {
        byte[] request = await ReadAsync(9);
        Assert.Equal(Pack.Hex("9400"), request[..2]);
        Assert.Equal([0xa4, .. "list"u8, 0x90], request[3..]);
        return request[2];
    }

    public async Task<bool> AtEndAsync() => await _fromClient.ReadAsync(new byte[1], Deadline) == 0;

    public async Task WriteAsync(params byte[] bytes)
    {
        await _toClient.WriteAsync(bytes, Deadline);
        await _toClient.FlushAsync(Deadline);
    }

    public void CloseOutput() => _toClient.Dispose();

    public void CloseInput() => _fromClient.Dispose();

    public static byte[] Result(int id, object? result) => Pack.Array(1, id, null, result);

    public static byte[] Error(int id, object error) => Pack.Array(1, id, error, null);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _toClient.DisposeAsync();
        await _fromClient.DisposeAsync();
    }

    /// <summary>Moves the other end out of the server stream, which would otherwise keep it open too.</summary>
    private static Microsoft.Win32.SafeHandles.SafePipeHandle Take(AnonymousPipeServerStream stream)
    {
        nint handle = stream.ClientSafePipeHandle.DangerousGetHandle();
        stream.ClientSafePipeHandle.SetHandleAsInvalid();
        return new Microsoft.Win32.SafeHandles.SafePipeHandle(handle, ownsHandle: true);
    }
}
