using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>The <c>--exit-event</c> that a parent may give.</summary>
internal static class ExitEvent
{
    /// <summary>Checks the number before anything is listened on; null where none was given.</summary>
    /// <exception cref="UsageException">It is not an inherited handle of the right kind.</exception>
    internal static SafeHandle? Open(IoPort port, long? number)
    {
        try
        {
            return number is { } given ? port.OpenSignal(given) : null;
        }
        catch (IoException e)
        {
            throw new UsageException("--exit-event", e.Message);
        }
    }
}
