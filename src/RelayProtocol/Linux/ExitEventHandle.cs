using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using RelayProtocol.Linux.Interop;

namespace RelayProtocol.Linux;

/// <summary>An eventfd: readable, and so signalled, for every holder once it has been written to. Any thread.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ExitEventHandle : ExitSignalHandle
{
    internal ExitEventHandle()
    {
        int descriptor = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        if (descriptor < 0)
        {
            int errno = Marshal.GetLastSystemError();
            throw new Win32Exception(errno, $"cannot make an exit event: {Marshal.GetPInvokeErrorMessage(errno)}");
        }
        SetHandle(descriptor);
    }

    public override bool IsInvalid => handle == -1;

    internal override unsafe void Signal()
    {
        ulong one = 1;
        // The only other outcome, EAGAIN from a counter that is full, means that it is signalled.
        _ = Libc.write(this, &one, sizeof(ulong));
    }

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
