using Wslrelay.Io;

namespace Wslrelay.WaitBench;

/// <summary>A watched signal, which is set.</summary>
internal sealed class SignalMember : RingMember
{
    private readonly BenchSignal _signal = BenchSignal.Create();

    /// <summary>Makes the signal and its watch.</summary>
    internal SignalMember(Ring ring, IoPort port)
        : base(ring) => Operation = port.Watch(_signal.Handle, this);

    /// <inheritdoc/>
    internal override IoOperation Operation { get; }

    /// <inheritdoc/>
    internal override void Fire() => _signal.Set();

    /// <inheritdoc/>
    internal override bool Take()
    {
        _signal.Reset();
        return true;
    }

    /// <inheritdoc/>
    public override void Dispose() => _signal.Dispose();
}
