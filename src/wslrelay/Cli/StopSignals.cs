using System.Runtime.InteropServices;

namespace Wslrelay.Cli;

/// <summary>
/// Ends the program in order, with every connection reset, when it is told to by a signal (Windows: a console event), for as long as this object lives.
/// The runtime leaves alone what was ignored when the program started. Signals arrive on a thread of the runtime.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGHUP, PosixSignal.SIGTERM, PosixSignal.SIGQUIT];

    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="stop">Called with each signal that is not ignored, on any thread; the program ends soon after.</param>
    /// <param name="ignored">Signals that are for another process of the group to act on.</param>
    internal StopSignals(Action<PosixSignal> stop, params PosixSignal[] ignored)
    {
        try
        {
            _registrations = Array.ConvertAll(Signals, signal => PosixSignalRegistration.Create(signal, Received));
        }
        catch (TypeInitializationException)
        {
            // A sandbox that refuses pipe2 leaves the runtime without signal handling: their default action ends the program.
            _registrations = [];
        }

        void Received(PosixSignalContext context)
        {
            context.Cancel = true;
            if (!ignored.Contains(context.Signal))
            {
                stop(context.Signal);

                // Windows ends the process as soon as this returns from a close, logoff or shutdown event.
                Thread.Sleep(context.Signal is PosixSignal.SIGHUP or PosixSignal.SIGTERM ? Timeout.Infinite : 0);
            }
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }
}
