using System.Diagnostics.CodeAnalysis;

namespace RelayProtocol.Rpc;

/// <summary>Thrown when a control stream is broken: where the next message begins can no longer be known, so the session is over. Reason <see cref="ScanStatus.NeedMore"/>: the stream ended within a message.</summary>
[SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "Both readers of a stream catch it; a parent sees RelayDisconnectedException.")]
internal sealed class RpcFormatException(ScanStatus reason, string message) : Exception(message)
{
    internal ScanStatus Reason => reason;
}
