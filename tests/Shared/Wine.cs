using System.ComponentModel;
using System.Runtime.InteropServices;
using Xunit;

namespace Wslrelay.TestTools;

/// <summary>The Windows that these tests may run on where there is none.</summary>
public static class Wine
{
    // ERROR_INTERNAL_ERROR, which Wine's CreateProcess gives of a child that was gone before its first instruction.
    private const int InternalError = 1359;
    private const int Tries = 3;

    /// <summary>Whether this is Wine.</summary>
    public static bool IsHere { get; } =
        OperatingSystem.IsWindows()
        && NativeLibrary.TryLoad("ntdll", out nint ntdll)
        && NativeLibrary.TryGetExport(ntdll, "wine_get_version", out _);

    /// <summary>
    /// Starts a process. Wine loses one child in some thousands before any code of its program runs: that one is started again, with a warning.
    /// </summary>
    public static T Start<T>(Func<T> start)
    {
        for (int left = Tries - 1; ; left--)
        {
            try
            {
                return start();
            }
            catch (Win32Exception e) when (IsHere && e.NativeErrorCode == InternalError && left > 0)
            {
                TestContext.Current.AddWarning("Wine lost a child before it began; it was started again.");
            }
        }
    }
}
