namespace Wslrelay.Io;

/// <summary>Who takes the connections of a listener, on the loop thread.</summary>
internal interface IAcceptOwner : IIoOwner
{
    /// <summary>A connection came in, and the accept is armed again already. The owner closes the socket.</summary>
    void Accepted(IoSocket socket);
}
