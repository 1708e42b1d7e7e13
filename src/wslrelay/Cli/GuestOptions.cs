using Microsoft.Extensions.Logging;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>What <c>guest</c> was told.</summary>
/// <param name="Listen">Where the relay connects to.</param>
/// <param name="ListenText">The same, as it was written.</param>
/// <param name="ExitEvent">The inherited handle that ends the agent, if there is one.</param>
/// <param name="AllowAnyCid">Whether other vsock peers than the host and this machine itself are taken.</param>
/// <param name="LogLevel">The least level that is logged.</param>
internal sealed record GuestOptions(IoEndpoint Listen, string ListenText, long? ExitEvent, bool AllowAnyCid, LogLevel LogLevel);
