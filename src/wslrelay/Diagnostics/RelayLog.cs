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

    [LoggerMessage(LogLevel.Error, "{Mapping}: accepting failed: {Error} (system error {NativeError})")]
    public partial void ListenerFailed(PortMapping mapping, IoError error, int nativeError);

    [LoggerMessage(LogLevel.Warning, "{Mapping}: a connection to {Target} failed: {Code}: {Reason}")]
    public partial void ConnectionFailed(PortMapping mapping, IoEndpoint target, string code, string reason);

    [LoggerMessage(LogLevel.Debug, "{Mapping}: a connection broke: {Reason}")]
    public partial void ConnectionBroke(PortMapping mapping, string reason);

    [LoggerMessage(LogLevel.Debug, "agent: port {Port} of 127.0.0.1 or ::1: {Code}: {Reason}")]
    public partial void GuestFailed(int port, string code, string reason);

    [LoggerMessage(LogLevel.Warning, "a connection from vsock context {Cid} was refused: only the host (2) and this machine (1) may connect unless --allow-any-cid is given")]
    public partial void CidRefused(uint cid);

    [LoggerMessage(LogLevel.Information, "exiting: {Cause}")]
    public partial void Ends(string cause);

    [LoggerMessage(LogLevel.Error, "the control stream is broken: {Reason}")]
    public partial void BrokenStream(string reason);

    [LoggerMessage(LogLevel.Error, "internal error in {Method}")]
    public partial void Defect(Exception exception, string method);
}
