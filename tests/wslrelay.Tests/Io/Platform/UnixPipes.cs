using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wslrelay.Tests.Io.Platform;

internal static class UnixPipes
{
    internal static (SafeHandle Read, SafeHandle Write) Create()
    {
        var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        var read = new SafePipeHandle(pipe.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: true);
        var write = new SafePipeHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: true);
        pipe.ClientSafePipeHandle.SetHandleAsInvalid();
        pipe.SafePipeHandle.SetHandleAsInvalid();
        return (read, write);
    }
}
