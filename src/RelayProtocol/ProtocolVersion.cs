namespace RelayProtocol;

/// <summary>The version of the control protocol that this library speaks.</summary>
public static class ProtocolVersion
{
    /// <summary>The protocol's number, as <c>hello</c> carries it.</summary>
    public const int Current = 1;
}
