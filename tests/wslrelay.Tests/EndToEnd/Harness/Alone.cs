using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Tests that run with nothing beside them: they hold a time of the contract, or use much of the machine.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
