using PublicApiGenerator;
using Xunit;

namespace RelayProtocol.Tests;

public class PublicApiTests
{
    [Fact]
    public void The_public_API_is_the_approved_one()
    {
        string actual = typeof(RelayClient).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false });
        string received = Path.Combine(AppContext.BaseDirectory, "PublicApi.received.txt");
        File.WriteAllText(received, actual.ReplaceLineEndings("\n"));
        string approved = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PublicApi.approved.txt"));
        Assert.True(
            approved.ReplaceLineEndings("\n").Trim() == actual.ReplaceLineEndings("\n").Trim(),
            $"The public API has changed. If that is intended, copy {received} over the test's PublicApi.approved.txt.");
    }
}
