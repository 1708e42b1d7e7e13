namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>What one end of a connection does from its first byte to its close.</summary>
/// <param name="BufferSize">The size that is set for its socket's buffers; null where the system decides.</param>
/// <param name="Steps">Its actions, in order; the last one closes.</param>
internal sealed record EndScript(int? BufferSize, EndStep[] Steps)
{
    public const int SmallBuffer = 8 * 1024;
    private const int SmallTotal = 32 * 1024;

    public EndAction Last => Steps[^1].Action;

    /// <summary>It reads to the end, so that its system never sends a reset because of unread bytes.</summary>
    public bool ReadsToEnd => Last is EndAction.EndAndReadToEnd or EndAction.ReadToEndAndEnd;

    public bool SendsUrgent => Steps.Any(step => step.Action == EndAction.SendUrgent);

    public static EndScript Generate(Random random, bool mayReadFirst)
    {
        var bufferSize = random.Next(6) == 0 ? SmallBuffer : (int?)null;
        var steps = new List<EndStep>();
        var sendsUrgent = random.Next(12) == 0;
        var left = bufferSize is null ? int.MaxValue : SmallTotal;
        var isSending = true;
        for (var count = random.Next(7); count > 0; count--)
        {
            switch (random.Next(10))
            {
                case <= 3 when isSending && left > 0:
                    var size = Math.Min(left, Size(random));
                    left -= size;
                    steps.Add(new EndStep(EndAction.Send, size));
                    break;
                case <= 6:
                    steps.Add(new EndStep(EndAction.Receive, Size(random)));
                    break;
                case 7 when isSending && sendsUrgent:
                    // One at most: a second would make the first an ordinary byte where that was not read yet (tcp(7)).
                    sendsUrgent = false;
                    steps.Add(new EndStep(EndAction.SendUrgent));
                    break;
                case 8 when isSending && random.Next(3) == 0:
                    isSending = false;
                    steps.Add(new EndStep(EndAction.EndSending));
                    break;
                default:
                    steps.Add(new EndStep(EndAction.Pause, random.Next(1, 8)));
                    break;
            }
        }

        steps.Add(new EndStep(random.Next(20) switch
        {
            <= 6 => EndAction.EndAndReadToEnd,
            <= 10 => mayReadFirst ? EndAction.ReadToEndAndEnd : EndAction.EndAndReadToEnd,
            <= 15 => EndAction.Close,
            _ => EndAction.Reset,
        }));
        return new EndScript(bufferSize, [.. steps]);
    }

    public override string ToString() => $"{(BufferSize is { } size ? $"buffers of {size}: " : "")}{string.Join(", ", Steps)}";

    private static int Size(Random random) => random.Next(12) switch
    {
        <= 5 => random.Next(1, 200),
        <= 8 => random.Next(200, 16_000),
        <= 10 => random.Next(16_000, 300_000),
        _ => random.Next(300_000, 3_000_000),
    };
}
