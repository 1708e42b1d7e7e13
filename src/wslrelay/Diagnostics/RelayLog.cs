using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Diagnostics;

/// <summary>The log messages. For any thread.</summary>
internal sealed partial class RelayLog(ILogger logger)
{
    [LoggerMessage(LogLevel.Debug, "{Mapping} listens, target {Target}")]
    public partial void Mapped(PortMapping mapping, IoEndpoint target);

    [LoggerMessage(LogLevel.Debug, "{Mapping} is unmapped")]
    public partial void Unmapped(PortMapping mapping);

    [LoggerMessage(LogLevel.Error, "{Mapping} cannot accept connections any more and is unmapped: {Reason}; map it again")]
    public partial void ListenerFailed(PortMapping mapping, string reason);

    [LoggerMessage(LogLevel.Warning, "{Mapping}: a connection to {Target} failed: {Code}: {Reason}")]
    public partial void ConnectionFailed(PortMapping mapping, IoEndpoint target, string code, string reason);

    [LoggerMessage(LogLevel.Debug, "{Mapping}: a connection broke: {Reason}")]
    public partial void ConnectionBroke(PortMapping mapping, string reason);

    [LoggerMessage(LogLevel.Debug, "a connection was refused: {Code}: {Reason}")]
    public partial void GuestFailed(string code, string reason);

    [LoggerMessage(LogLevel.Error, "the agent cannot accept connections any more: {Reason}; start it again")]
    public partial void AgentFailed(string reason);

    [LoggerMessage(LogLevel.Warning, "{Mapping} cannot be mapped automatically: {Code}: {Reason}")]
    public partial void AutoMapFailed(PortMapping mapping, string code, string reason);

    [LoggerMessage(LogLevel.Warning, "the agent at {Target} does not tell what listens in the guest: {Code}: {Reason}")]
    public partial void AgentDown(RelayTarget target, string code, string reason);

    [LoggerMessage(LogLevel.Debug, "the agent at {Target} tells what listens in the guest")]
    public partial void AgentUp(RelayTarget target);

    [LoggerMessage(LogLevel.Warning, "a connection from vsock context {Cid} was refused: only the host (2) and this machine (1) may connect unless --allow-any-cid is given")]
    public partial void CidRefused(uint cid);

    [LoggerMessage(LogLevel.Information, "exiting: {Cause}")]
    public partial void Ends(string cause);

    [LoggerMessage(LogLevel.Error, "the control stream is broken: {Reason}")]
    public partial void BrokenStream(string reason);

    [LoggerMessage(LogLevel.Error, "internal error in {Method}")]
    public partial void Defect(Exception exception, string method);
}
