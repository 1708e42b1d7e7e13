using System.Runtime.InteropServices;

namespace Wslrelay.Cli;

/// <summary>Ends the program in order on SIGINT (Ctrl+C) and SIGTERM, for as long as it lives. Signals arrive on a thread of the runtime.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;

    internal StopSignals(LoopHost host)
    {
        _registrations = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM]).Select(signal => PosixSignalRegistration.Create(signal, Received))];

        void Received(PosixSignalContext context)
        {
            context.Cancel = true;
            host.Loop.Post(() => host.Stop($"{context.Signal}"));
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
    }
}
