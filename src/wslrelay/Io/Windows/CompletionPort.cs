using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Wslrelay.Io.Windows;

/// <summary>The wait on Windows.</summary>
[SupportedOSPlatform("windows")]
internal sealed class CompletionPort : IoPort
{
    public override IoSocket Listen(in IoEndpoint endpoint) => throw new PlatformNotSupportedException();

    public override AcceptOperation Accept(IoSocket listener, IAcceptOwner owner) => throw new PlatformNotSupportedException();

    public override ConnectOperation Connect(in IoEndpoint endpoint, IIoOwner owner) => throw new PlatformNotSupportedException();

    public override TransferOperation Send(IoHandle to, IIoOwner owner) => throw new PlatformNotSupportedException();

    public override TransferOperation Receive(IoHandle from, IIoOwner owner) => throw new PlatformNotSupportedException();

    public override PumpOperation Pump(IoSocket from, IoSocket to, ByteCounter counter, IIoOwner owner) => throw new PlatformNotSupportedException();

    public override WatchOperation Watch(SafeHandle signal, IIoOwner owner) => throw new PlatformNotSupportedException();

    public override SafeHandle OpenSignal(long number) => throw new PlatformNotSupportedException();

    public override IoHandle? TryOpenPipe(SafeHandle pipe, bool write) => throw new PlatformNotSupportedException();

    public override SafeHandle StandardStream(bool write) => throw new PlatformNotSupportedException();

    public override int Wait(Span<IoEvent> events, int timeoutMilliseconds) => throw new PlatformNotSupportedException();

    public override void Wake() => throw new PlatformNotSupportedException();

    protected override void Dispose(bool disposing)
    {
    }
}
