using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.WaitBench;

/// <summary>A foreign handle that can be watched, of the kind that this system's parents have. For any thread.</summary>
internal abstract class BenchSignal : IDisposable
{
    /// <summary>What is watched.</summary>
    internal abstract SafeHandle Handle { get; }

    /// <summary>Makes one that is not set.</summary>
    /// <exception cref="IoException">The system has no more.</exception>
    internal static BenchSignal Create() => OperatingSystem.IsLinux() ? new EventDescriptorSignal() : new EventSignal();

    /// <summary>Signals it.</summary>
    internal abstract void Set();

    /// <summary>Takes the signal back, after it was seen.</summary>
    internal abstract void Reset();

    /// <inheritdoc/>
    public abstract void Dispose();
}
