using System.Runtime.InteropServices;

namespace Wslrelay.Tests.Io.Platform;

/// <summary>A foreign handle that can be watched.</summary>
internal abstract class TestSignal : IDisposable
{
    internal abstract SafeHandle Handle { get; }

    internal abstract void Set();

    public abstract void Dispose();
}
