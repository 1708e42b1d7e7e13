namespace Wslrelay.Cli;

/// <summary>An argument that was well written and still cannot be: found out only when it was used, before anything was listened on.</summary>
internal sealed class UsageException(string argument, string message) : Exception($"{argument}: {message}");
