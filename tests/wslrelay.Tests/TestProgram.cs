using Wslrelay.Tests.EndToEnd.Harness;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Wslrelay.Tests;

/// <summary>The runner of the tests; or, with the argument of <see cref="RelayParent"/>, the parent of a relay, which a test kills.</summary>
internal static class TestProgram
{
    public static Task<int> Main(string[] arguments) => arguments switch
    {
        [RelayParent.Argument, var guestPort] => RelayParent.RunAsync(int.Parse(guestPort)),

        // Like the entry point that xunit would generate.
        _ when arguments.Contains("-automated") || arguments.Contains("@@") => ConsoleRunner.Run(arguments),
        _ => TestPlatformTestFramework.RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    };
}
