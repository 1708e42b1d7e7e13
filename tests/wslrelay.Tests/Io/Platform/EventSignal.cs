using System.Runtime.InteropServices;

namespace Wslrelay.Tests.Io.Platform;

internal sealed class EventSignal : TestSignal
{
    private readonly EventWaitHandle _event = new(false, EventResetMode.ManualReset);

    internal override SafeHandle Handle => _event.SafeWaitHandle;

    internal override void Set() => _event.Set();

    public override void Dispose() => _event.Dispose();
}
