using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>What <c>serve</c> was told.</summary>
/// <param name="Target">Where connections go.</param>
/// <param name="ExitEvent">The inherited handle that ends the relay, if there is one.</param>
/// <param name="DrainMilliseconds">How long connections may go on after an end of file, 0 to 3600000.</param>
/// <param name="GuestProtocol">How the agent is met, if there is one.</param>
/// <param name="AllowRemote">Whether other than loopback addresses may be listened on.</param>
/// <param name="LogLevel">The least level that is logged.</param>
internal sealed record ServeOptions(RelayTarget Target, long? ExitEvent, int DrainMilliseconds, GuestProtocol GuestProtocol, bool AllowRemote, LogLevel LogLevel);
