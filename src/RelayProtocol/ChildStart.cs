namespace RelayProtocol;

/// <summary>What a platform needs to start a child.</summary>
/// <param name="Program">The program's full path.</param>
/// <param name="ExitSignal">The exit event to pass on; stays the caller's.</param>
/// <param name="Arguments">Makes the arguments, without the program's name, from the exit event's number in the child.</param>
/// <param name="StandardError">Where the child's standard error goes.</param>
internal sealed record ChildStart(
    string Program,
    ExitSignalHandle ExitSignal,
    Func<long, IReadOnlyList<string>> Arguments,
    RelayStandardError StandardError = RelayStandardError.Inherit);
