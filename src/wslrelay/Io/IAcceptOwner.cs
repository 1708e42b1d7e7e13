namespace Wslrelay.Io;

/// <summary>Receives the connections of a listener, on the loop thread.</summary>
internal interface IAcceptOwner : IIoOwner
{
    /// <summary>Called for each connection, after the accept was armed again. The owner closes the socket.</summary>
    void Accepted(IoSocket socket);
}
