namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>
/// What TCP itself promises its two ends, and what a relay between them must promise too (section 4 of the protocol). Each holds of a connection without
/// a relay as well, which is run for that; what does not, for all that one may wish, is not here:
/// <list type="bullet">
/// <item>Bytes before a reset. A reset throws away what the sender's system has not sent yet, so that only what fits into every buffer on the way, and is sent
/// at once, is sure to arrive. Linux then gives it to a receiver that reads, also after the reset.</item>
/// <item>The end of a side that has closed. If bytes come that nobody reads any more, its system answers with a reset, and which of end and reset is seen
/// depends on the moment.</item>
/// <item>A reset after an end. It is seen by a side that still may send; both ends after each other make a whole connection, after which there is nothing to
/// reset.</item>
/// </list>
/// </summary>
internal static class Invariants
{
    // Fits into the first window that any system offers, and into the buffers of the relay and the agent.
    private const int SurelyArrives = 16 * 1024;

    /// <summary>Which promise to <paramref name="receiver"/> was broken; null if none.</summary>
    /// <param name="script">What both ends did.</param>
    /// <param name="sender">The other end.</param>
    /// <param name="receiver">The end that is looked at.</param>
    public static string? Broken(ConnectionScript script, EndRun sender, EndRun receiver)
    {
        var resetAlone = sender.Script.Last == EndAction.Reset && !sender.HasEnded;
        return receiver.Fault
            ?? (receiver.Received > sender.Sent ? "more came than was sent"
            : receiver.SawEnd && resetAlone ? "a reset became an end"
            : receiver.SawEnd && receiver.Received < sender.Sent ? "the end came before the last byte"
            : !receiver.Script.ReadsToEnd ? null
            : !receiver.SawEnd && !receiver.SawReset ? "neither end nor reset came"
            : resetAlone && !receiver.SawReset ? "a reset did not come"
            : receiver.SawReset && sender.Script.Last != EndAction.Reset && sender.Received == receiver.Sent && !receiver.Script.SendsUrgent ? "a reset came that nobody made"
            : sender.Sent <= SurelyArrives && !script.HasSmallBuffers && receiver.Received < sender.Sent ? "what was sent did not arrive"
            : null);
    }
}
