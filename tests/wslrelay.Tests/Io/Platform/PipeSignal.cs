using System.IO.Pipes;
using System.Runtime.InteropServices;

namespace Wslrelay.Tests.Io.Platform;

/// <summary>A pipe's read end, signalled by a byte.</summary>
internal sealed class PipeSignal : TestSignal
{
    private readonly AnonymousPipeServerStream _pipe = new(PipeDirection.Out);

    internal override SafeHandle Handle => _pipe.ClientSafePipeHandle;

    internal override void Set() => _pipe.WriteByte(1);

    public override void Dispose() => _pipe.Dispose();
}
