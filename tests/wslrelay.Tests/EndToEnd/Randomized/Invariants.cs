namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>
/// What TCP itself promises its two ends, and what a relay between them must promise too (section 4 of the protocol). Each also holds for a connection without
/// a relay, which is tested as the control. Not guaranteed by TCP, and therefore not checked, are:
/// <list type="bullet">
/// <item>Bytes before a reset. A reset discards what the sender's system has not sent yet, so that only bytes that fit into every buffer on the way, and are sent
/// at once, are certain to arrive. Linux then gives them to a receiver that reads, also after the reset.</item>
/// <item>The end of a side that has closed. If bytes arrive after the close, its system answers with a reset, and whether the end or the reset is seen
/// depends on the timing.</item>
/// <item>A reset after an end. It is seen by a side that may still send; after the ends of both sides the connection is closed, and there is nothing left to
/// reset.</item>
/// </list>
/// </summary>
internal static class Invariants
{
    // Fits into the initial window of every system, and into the buffers of the relay and the agent.
    private const int GuaranteedBytes = 16 * 1024;

    /// <summary>The guarantee to <paramref name="receiver"/> that was broken; null if none.</summary>
    /// <param name="script">What both ends did.</param>
    /// <param name="sender">The other end.</param>
    /// <param name="receiver">The end that is checked.</param>
    public static string? Broken(ConnectionScript script, EndRun sender, EndRun receiver)
    {
        var resetAlone = sender.Script.Last == EndAction.Reset && !sender.HasEnded;
        return receiver.Violation
            ?? (receiver.Received > sender.Sent ? "more came than was sent"
            : receiver.SawEnd && resetAlone ? "a reset became an end"
            : receiver.SawEnd && receiver.Received < sender.Sent ? "the end came before the last byte"
            : !receiver.Script.ReadsToEnd ? null
            : !receiver.SawEnd && !receiver.SawReset ? "neither end nor reset came"
            : resetAlone && !receiver.SawReset ? "a reset did not come"
            : receiver.SawReset && sender.Script.Last != EndAction.Reset && sender.Received == receiver.Sent && !receiver.Script.SendsUrgent ? "a reset came that neither side sent"
            : sender.Sent <= GuaranteedBytes && !script.HasSmallBuffers && receiver.Received < sender.Sent ? "what was sent did not arrive"
            : null);
    }
}
