using System.Runtime.CompilerServices;
using Xunit;

namespace Wslrelay.Tests.Io.Platform;

/// <summary>A test of what only Windows has; skipped elsewhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
#pragma warning disable CA1019 // the compiler passes the place of the test; the base class has the accessors
public sealed class WindowsFactAttribute : FactAttribute
{
    public WindowsFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        Skip = "needs Windows";
        SkipType = typeof(TestPlatform);
        SkipUnless = nameof(TestPlatform.IsWindows);
    }
}
