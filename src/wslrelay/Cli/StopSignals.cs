using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>Lets SIGINT (Ctrl+C) and SIGTERM end a loop in good order for as long as it lives. The signals come on a thread of the runtime's.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    internal StopSignals(IoLoop loop)
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            loop.Post(loop.Stop);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
    }
}
