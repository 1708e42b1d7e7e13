namespace RelayProtocol;

/// <summary>The version of the control protocol that is implemented here, as <c>hello</c> carries it.</summary>
internal static class ProtocolVersion
{
    internal const int Current = 1;
}
