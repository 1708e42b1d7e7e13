using System.Text.RegularExpressions;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Foreign;

/// <summary>
/// The parents that README.md shows, run exactly as they are printed there. The one in C# uses the library in the tests' folder, or, where
/// WSLRELAY_PACKAGES names the folder of the built packages, the package from there.
/// </summary>
public sealed class ReadmeTests
{
    private const string Python = "/usr/bin/python3";

    private static readonly string? Packages = Environment.GetEnvironmentVariable("WSLRELAY_PACKAGES");

    [Fact]
    public async Task The_parent_in_CSharp_runs_as_printed()
    {
        Platform.OnLinuxOnly("Its programs are Debian\'s.");
        RequiredTool.Require("dotnet", "dotnet-sdk-10.0", "--list-sdks");
        using var folder = new TemporaryFolder();
        folder.Write("Program.cs", Snippet("parent.cs", "csharp"));
        folder.Write("Parent.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <RestorePackagesPath>obj/packages</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup>
                {(string.IsNullOrEmpty(Packages) ? LibraryReference : PackageReference(folder))}
              </ItemGroup>
            </Project>
            """);
        await AssertRunsAsync(["dotnet", "run", "--project", folder.Path], folder);
    }

    [Fact]
    public void The_library_s_own_README_shows_the_same_parent() =>
        Assert.Contains(Snippet("parent.cs", "csharp"), ReadText("RelayProtocol.README.md"), StringComparison.Ordinal);

    [Fact]
    public async Task The_parent_in_Python_runs_as_printed()
    {
        Platform.OnLinuxOnly("Its programs are Debian\'s.");
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        using var folder = new TemporaryFolder();
        await AssertRunsAsync([Python, folder.Write("parent.py", Snippet("parent.py", "python"))], folder);
    }

    private static string LibraryReference => $"""<Reference Include="{Path.Combine(AppContext.BaseDirectory, "RelayProtocol.dll")}" />""";

    /// <summary>The built package and no other of that name; its dependencies come from the packages that this machine has restored, without a network.</summary>
    private static string PackageReference(TemporaryFolder folder)
    {
        var restored = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } given
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        folder.Write("nuget.config", $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="built" value="{Path.GetFullPath(Packages!)}" />
                <add key="restored" value="{restored}" />
              </packageSources>
              <packageSourceMapping>
                <packageSource key="built"><package pattern="RelayProtocol" /></packageSource>
                <packageSource key="restored"><package pattern="*" /></packageSource>
              </packageSourceMapping>
            </configuration>
            """);
        return """<PackageReference Include="RelayProtocol" Version="*" />""";
    }

    /// <summary>The parent maps port 8080, prints its address, waits for Enter, and ends with 0.</summary>
    private static async Task AssertRunsAsync(string[] command, TemporaryFolder folder)
    {
        // Where another program has that port already, only the parent's start is checked.
        await using var guest = Net.CanListen(Net.Loopback(4, 8080)) ? GuestServer.Echo(port: 8080) : null;
        using var parent = RelayProgram.StartCommand(command, folder.Path);
        try
        {
            var errors = parent.StandardError.ReadToEndAsync();
            var line = await parent.StandardOutput.ReadLineAsync().WaitAsync(Limits.TransferTimeout) ?? await errors;
            var port = Regex.Match(line, @"127\.0\.0\.1:([0-9]+)");
            Assert.True(port.Success, line);
            if (guest is not null)
                await new Mapping("tcp", 4, "127.0.0.1", int.Parse(port.Groups[1].Value), 8080).AssertEchoAsync();

            await parent.StandardInput.WriteLineAsync();
            var rest = await parent.StandardOutput.ReadToEndAsync().WaitAsync(Limits.HangTimeout);
            await parent.WaitForExitAsync().WaitAsync(Limits.HangTimeout);
            Assert.True(parent.ExitCode == 0, rest + await errors);
        }
        finally
        {
            if (!parent.HasExited)
                parent.Kill(entireProcessTree: true);
        }
    }

    private static string Snippet(string name, string language)
    {
        var found = Regex.Match(ReadText("README.md"), $@"<!-- snippet: {Regex.Escape(name)} -->\s*```{language}\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline);
        Assert.True(found.Success, $"README.md has no snippet {name}.");
        return found.Groups[1].Value;
    }

    private static string ReadText(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, name));
}
