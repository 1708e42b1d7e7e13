using Wslrelay.Tests.EndToEnd.Harness;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Wslrelay.Tests;

/// <summary>The runner of the tests; or, where a test starts it so, the parent of a relay, for that test to kill.</summary>
internal static class TestProgram
{
    public static Task<int> Main(string[] arguments) => arguments switch
    {
        [RelayParent.Argument, var guestPort] => RelayParent.RunAsync(int.Parse(guestPort)),

        // As the entry point that xunit would generate.
        _ when arguments.Contains("-automated") || arguments.Contains("@@") => ConsoleRunner.Run(arguments),
        _ => TestPlatformTestFramework.RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    };
}
