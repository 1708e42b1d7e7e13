using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>What <c>forward</c> was told.</summary>
/// <param name="Mappings">What to map.</param>
/// <param name="Target">Where connections go.</param>
/// <param name="GuestProtocol">How the agent is met, if there is one.</param>
/// <param name="AllowRemote">Whether other than loopback addresses may be listened on.</param>
/// <param name="LogLevel">The least level that is logged.</param>
internal sealed record ForwardOptions(IReadOnlyList<PortMapping> Mappings, RelayTarget Target, GuestProtocol GuestProtocol, bool AllowRemote, LogLevel LogLevel);
