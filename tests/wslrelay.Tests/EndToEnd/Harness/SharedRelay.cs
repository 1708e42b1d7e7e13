using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>One relay for all tests of a class whose requests leave it as it was.</summary>
public sealed class SharedRelay : IAsyncLifetime
{
    internal RelayUnderTest Relay { get; } = RelayUnderTest.Serve();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => Relay.DisposeAsync();
}
