namespace Wslrelay.Cli;

/// <summary>A valid argument that cannot be used on this machine; found before anything is listened on.</summary>
internal sealed class UsageException(string argument, string message) : Exception($"{argument}: {message}");
