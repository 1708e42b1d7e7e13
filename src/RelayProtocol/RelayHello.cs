namespace RelayProtocol;

/// <summary>A relay's answer to <c>hello</c>. Immutable; any thread.</summary>
/// <param name="Name">The program's name, <c>wslrelay</c>.</param>
/// <param name="Version">Its version, as in Semantic Versioning.</param>
/// <param name="Protocol">The protocol version it speaks; always 1 today.</param>
/// <param name="ProcessId">Its process id, as it sees it itself.</param>
/// <param name="Target">Where it relays to, in the syntax of <see cref="RelayTarget"/>.</param>
/// <param name="Capabilities">What it can do; <c>tcp</c> is always there.</param>
public sealed record RelayHello(
    string Name, string Version, int Protocol, int ProcessId, string Target, IReadOnlyList<string> Capabilities);
