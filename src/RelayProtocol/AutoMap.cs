namespace RelayProtocol;

/// <summary>Which of the guest's listeners a relay maps automatically. Immutable; any thread.</summary>
public sealed record AutoMapOptions
{
    /// <summary>The ports to map: numbers and ranges with commas between, such as <c>80,3000-3999</c>.</summary>
    public string Ports { get; init; } = "1024-65535";

    /// <summary>Ports to leave out, in the same form.</summary>
    public string Exclude { get; init; } = "";

    /// <summary>Whether ports at which programs receive datagrams are mapped too.</summary>
    public bool Udp { get; init; }
}

/// <summary>What a relay has mapped automatically. Immutable; any thread.</summary>
/// <param name="Mapped">The automatic mappings in force.</param>
/// <param name="Failed">Those that could not be made on the host; each is tried again every five seconds.</param>
public sealed record AutoMapResult(IReadOnlyList<PortMapping> Mapped, IReadOnlyList<AutoMapFailure> Failed);

/// <summary>An automatic mapping that could not be made.</summary>
/// <param name="Mapping">The mapping.</param>
/// <param name="Error">Why.</param>
public sealed record AutoMapFailure(PortMapping Mapping, RelayError Error);
