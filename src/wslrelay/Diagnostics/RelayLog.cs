using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Diagnostics;

/// <summary>What the relay says about itself: one method for each line. For any thread.</summary>
internal sealed partial class RelayLog(ILogger logger)
{
    [LoggerMessage(LogLevel.Debug, "{Mapping} listens, to {Target}")]
    public partial void Mapped(PortMapping mapping, IoEndpoint target);

    [LoggerMessage(LogLevel.Debug, "{Mapping} is unmapped")]
    public partial void Unmapped(PortMapping mapping);

    [LoggerMessage(LogLevel.Error, "{Mapping}: its listener ended: {Error} (system error {NativeError})")]
    public partial void ListenerFailed(PortMapping mapping, IoError error, int nativeError);

    [LoggerMessage(LogLevel.Warning, "{Mapping}: a connection to {Target} failed: {Code}: {Reason}")]
    public partial void ConnectionFailed(PortMapping mapping, IoEndpoint target, RelayErrorCode code, string reason);

    [LoggerMessage(LogLevel.Debug, "{Mapping}: a connection broke: {Error} (system error {NativeError})")]
    public partial void ConnectionBroke(PortMapping mapping, IoError error, int nativeError);

    [LoggerMessage(LogLevel.Information, "ends: {Cause}")]
    public partial void Ends(string cause);

    [LoggerMessage(LogLevel.Error, "the control stream is broken: {Reason}")]
    public partial void BrokenStream(string reason);

    [LoggerMessage(LogLevel.Error, "a defect in {Method}")]
    public partial void Defect(Exception exception, string method);
}
