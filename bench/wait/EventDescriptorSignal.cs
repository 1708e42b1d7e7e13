using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.WaitBench;

/// <summary>An eventfd. For any thread.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EventDescriptorSignal : BenchSignal
{
    private readonly SafeFileHandle _descriptor;

    /// <summary>Opens it.</summary>
    internal EventDescriptorSignal()
    {
        int descriptor = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        _descriptor = descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Errno.Exception(Errno.Last, "eventfd");
    }

    /// <inheritdoc/>
    internal override SafeHandle Handle => _descriptor;

    /// <inheritdoc/>
    internal override void Set()
    {
        ulong one = 1;
        _ = Libc.write(_descriptor, (byte*)&one, sizeof(ulong));
    }

    /// <inheritdoc/>
    internal override void Reset()
    {
        ulong sum;
        _ = Libc.read(_descriptor, (byte*)&sum, sizeof(ulong));
    }

    /// <inheritdoc/>
    public override void Dispose() => _descriptor.Dispose();
}
