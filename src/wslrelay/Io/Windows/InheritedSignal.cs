using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Windows.Interop;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Checks that a handle's number, as given by the parent, was inherited and can be waited for. A number that was not inherited may be that of
/// anything this process has opened since. Called at start.
/// </summary>
[SupportedOSPlatform("windows")]
internal static unsafe class InheritedSignal
{
    private const int TypeBufferLength = 1024;

    /// <summary>Opens it for the caller to own.</summary>
    /// <exception cref="IoException">It is no such handle; the message says what it is.</exception>
    internal static SafeHandle Open(long number)
    {
        // The system ignores a handle's two lowest bits, and negative numbers are pseudo handles.
        if (number is <= 0 or > uint.MaxValue || (number & 3) != 0)
            throw Refuse(number, "is not a handle's number", NativeError.ERROR_INVALID_HANDLE);

        var handle = new SafeWaitHandle((nint)number, ownsHandle: false);
        if (!Kernel32.GetHandleInformation(handle, out uint flags))
            throw Refuse(number, "is not an open handle", Marshal.GetLastPInvokeError());

        string type = TypeOf(handle);
        if ((flags & Kernel32.HANDLE_FLAG_INHERIT) == 0)
            throw Refuse(number, $"was not inherited: it is a handle of this process (of type {type})", 0);

        if (type is not ("Event" or "Process"))
            throw Refuse(number, $"is of type {type}, not an event", 0);

        if ((GrantedAccess(handle) & Kernel32.SYNCHRONIZE) == 0)
            throw Refuse(number, "was inherited without the right to wait for it", NativeError.ERROR_ACCESS_DENIED);

        return new SafeWaitHandle((nint)number, ownsHandle: true);
    }

    /// <summary>The type of a handle's object, such as Event; "unknown" where the system does not tell.</summary>
    internal static string TypeOf(SafeHandle handle)
    {
        byte* buffer = stackalloc byte[TypeBufferLength];
        int status = Ntdll.NtQueryObject(handle, Ntdll.ObjectTypeInformation, buffer, TypeBufferLength, null);
        if (status < 0)
            return "unknown";

        // PUBLIC_OBJECT_TYPE_INFORMATION begins with the name.
        var name = (Ntdll.UNICODE_STRING*)buffer;
        return new string(name->Buffer, 0, name->Length / sizeof(char));
    }

    internal static uint GrantedAccess(SafeHandle handle)
    {
        Ntdll.PUBLIC_OBJECT_BASIC_INFORMATION information;
        uint length = (uint)sizeof(Ntdll.PUBLIC_OBJECT_BASIC_INFORMATION);
        return Ntdll.NtQueryObject(handle, Ntdll.ObjectBasicInformation, &information, length, null) >= 0 ? information.GrantedAccess : 0;
    }

    private static IoException Refuse(long number, string why, int error) =>
        new(IoError.NotSupported, error, $"{number} {why}; an inherited event is needed.");
}
