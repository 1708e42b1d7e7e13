using System.Runtime.InteropServices;
using System.Security.Principal;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Handles to wait for that are not this process's own: an inherited one, by the number that the parent gave, and another process, by its id.
/// Runs on the thread that sets up. The caller owns what is opened.
/// </summary>
[SupportedOSPlatform("windows")]
internal static unsafe class ForeignHandle
{
    private const int TypeBufferLength = 1024;

    /// <summary>Checks that it was inherited: any other number may be that of anything this process has opened since.</summary>
    /// <exception cref="IoException">It is no such handle; the message says what it is.</exception>
    internal static SafeHandle OpenInherited(long number)
    {
        // The system ignores a handle's two lowest bits, and negative numbers are pseudo handles.
        if (number is <= 0 or > uint.MaxValue || (number & 3) != 0)
            throw Refuse(number, "is not a handle's number", ERROR_INVALID_HANDLE);

        var handle = new SafeWaitHandle((nint)number, ownsHandle: false);
        if (!Kernel32.GetHandleInformation(handle, out uint flags))
            throw Refuse(number, "is not an open handle", Marshal.GetLastPInvokeError());

        string type = TypeOf(handle);
        if ((flags & Kernel32.HANDLE_FLAG_INHERIT) == 0)
            throw Refuse(number, $"was not inherited: it is a handle of this process (of type {type})", 0);

        if (type is not ("Event" or "Process"))
            throw Refuse(number, $"is of type {type}, not an event", 0);

        if ((GrantedAccess(handle) & Kernel32.SYNCHRONIZE) == 0)
            throw Refuse(number, "was inherited without the right to wait for it", ERROR_ACCESS_DENIED);

        return new SafeWaitHandle((nint)number, ownsHandle: true);
    }

    /// <summary>Opens a process, whose handle is signalled when it exits.</summary>
    /// <exception cref="IoException">There is no such process, it has exited, or it belongs to another user.</exception>
    internal static SafeHandle OpenProcess(int id)
    {
        SafeWaitHandle process = Kernel32.OpenProcess(Kernel32.SYNCHRONIZE | Kernel32.PROCESS_QUERY_LIMITED_INFORMATION, bInheritHandle: false, (uint)id);
        int error = Marshal.GetLastPInvokeError();
        string? problem = process.IsInvalid ? (error == ERROR_ACCESS_DENIED ? "belongs to another user" : "does not exist")
            : Kernel32.WaitForSingleObject(process, 0) == Kernel32.WAIT_OBJECT_0 ? "has exited"
            : IsOfThisUser(process) ? null : "belongs to another user";
        if (problem is null)
            return process;

        process.Dispose();
        throw new IoException(IoError.Failed, error, $"process {id} {problem}");
    }

    /// <summary>The access rights that a handle has; 0 where the system does not tell.</summary>
    internal static uint GrantedAccess(SafeHandle handle)
    {
        Ntdll.PUBLIC_OBJECT_BASIC_INFORMATION information;
        uint length = (uint)sizeof(Ntdll.PUBLIC_OBJECT_BASIC_INFORMATION);
        return Ntdll.NtQueryObject(handle, Ntdll.ObjectBasicInformation, &information, length, null) >= 0 ? information.GrantedAccess : 0;
    }

    private static string TypeOf(SafeHandle handle)
    {
        byte* buffer = stackalloc byte[TypeBufferLength];
        if (Ntdll.NtQueryObject(handle, Ntdll.ObjectTypeInformation, buffer, TypeBufferLength, null) < 0)
            return "unknown";

        // PUBLIC_OBJECT_TYPE_INFORMATION begins with the name.
        var name = (Ntdll.UNICODE_STRING*)buffer;
        return new string(name->Buffer, 0, name->Length / sizeof(char));
    }

    private static bool IsOfThisUser(SafeHandle process)
    {
        bool opened = Kernel32.OpenProcessToken(process, Kernel32.TOKEN_QUERY, out SafeAccessTokenHandle token);
        using (token)
        {
            if (!opened)
                return false;

            using WindowsIdentity theirs = new(token.DangerousGetHandle()), ours = WindowsIdentity.GetCurrent();
            return theirs.User == ours.User;
        }
    }

    private static IoException Refuse(long number, string why, int error) =>
        new(IoError.NotSupported, error, $"{number} {why}; an inherited event is needed.");
}
