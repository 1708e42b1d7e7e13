using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>Owns the handle of a completion port; for any thread.</summary>
[SupportedOSPlatform("windows")]
internal sealed class SafeCompletionPort() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle() => RelayProtocol.Windows.Interop.Kernel32.CloseHandle(handle);
}
