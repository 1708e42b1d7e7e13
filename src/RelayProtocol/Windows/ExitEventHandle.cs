using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using RelayProtocol.Windows.Interop;

namespace RelayProtocol.Windows;

/// <summary>A manual-reset event without a name. Any thread.</summary>
[SupportedOSPlatform("windows")]
internal sealed class ExitEventHandle : ExitSignalHandle
{
    internal unsafe ExitEventHandle()
    {
        nint made = Kernel32.CreateEventW(null, bManualReset: true, bInitialState: false, null);
        if (made == 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new Win32Exception(error, $"cannot make an exit event: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        SetHandle(made);
    }

    public override bool IsInvalid => handle is -1 or 0;

    internal override void Signal() => _ = Kernel32.SetEvent(this);

    protected override bool ReleaseHandle() => Kernel32.CloseHandle(handle);
}
