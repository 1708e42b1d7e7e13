using System.Runtime.InteropServices;

namespace Wslrelay.Cli;

/// <summary>Ends the program in order on SIGINT (Ctrl+C) and SIGTERM, for as long as it lives. Signals arrive on a thread of the runtime.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;

    internal StopSignals(LoopHost host)
    {
        try
        {
            _registrations = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM]).Select(signal => PosixSignalRegistration.Create(signal, Received))];
        }
        catch (TypeInitializationException)
        {
            // A sandbox that refuses pipe2 leaves the runtime without signal handling: their default action ends the program.
            _registrations = [];
        }

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
