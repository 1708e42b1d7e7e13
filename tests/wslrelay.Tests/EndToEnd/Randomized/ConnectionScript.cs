namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>What both ends of one connection do, generated from a seed.</summary>
internal sealed record ConnectionScript(int Seed, EndScript Client, EndScript Server)
{
    public bool HasSmallBuffers => Client.BufferSize is not null || Server.BufferSize is not null;

    public static ConnectionScript Generate(int seed)
    {
        var random = new Random(seed);
        var clientMayReadFirst = random.Next(2) == 0;

        // If each end waited for the other's end of sending, neither would come.
        return new ConnectionScript(
            seed, EndScript.Generate(random, clientMayReadFirst), EndScript.Generate(random, !clientMayReadFirst));
    }
}
