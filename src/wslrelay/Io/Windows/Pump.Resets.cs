using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <content>
/// Failures, and resets that no transfer tells of. What was received before a reset is sent on for as long as the other side takes it: nothing
/// taken for 100 ms ends that.
/// </content>
internal sealed unsafe partial class Pump
{
    private SocketPoll? _poll;
    private ulong _progress;
    private bool _retryQueued;

    private void Retry()
    {
        _retryQueued = false;
        if (State != IoState.Pending || CancelReason != IoError.None || (_phase != Phase.Draining && (_phase != Phase.Sending || !from.Broken)))
            return;

        ulong progress = GetProgress();
        bool advanced = progress != _progress;
        if (_phase == Phase.Sending && !advanced)
            _ = Kernel32.CancelIoEx(to, _slot!.Overlapped);
        else if (_phase == Phase.Sending || (advanced && progress < to.SentBytes))
            QueueRetry();
        else
            FinishByPacket(_result.Error, _result.NativeError);
    }

    private void OnReceiveFailed(int error)
    {
        from.Broken = from.ReadEnded = true;
        ReturnBuffer();
        if (!to.Broken && to.SentBytes > (to.GetAcknowledgedBytes() ?? 0))
        {
            _result = (ToIoError(error), error);
            _phase = Phase.Draining;
            QueueRetry();
            Pend();
        }
        else
        {
            Finish(ToIoError(error), error);
        }
    }

    private void OnSendFailed(int error)
    {
        IoError meaning = ToIoError(error);
        if (meaning == IoError.Cancelled)
        {
            // Given up, since the sender is gone and nothing was taken any more.
            Finish(IoError.Reset, WSAECONNRESET);
            return;
        }

        // From now on the sender's further bytes are not read.
        to.Broken = from.ReadEnded = true;
        ReturnBuffer();
        Finish(meaning == IoError.Reset && !to.ReadEnded ? IoError.ReceiverBroke : meaning, error);
    }

    // The other direction has ended too, so that a reset no longer matters.
    private void OnOtherEnded()
    {
        if (_phase == Phase.EndPassedOn && CancelReason == IoError.None)
        {
            _result = (IoError.None, 0);
            _phase = Phase.Finishing;
            _ = Kernel32.CancelIoEx(from, _poll!.Overlapped);
        }
    }

    private bool TryPoll() => (_poll ??= new SocketPoll(port, Ntdll.AFD_POLL_ABORT)).TryStart(from, this);

    private void OnPolled(int error)
    {
        if (CancelReason == IoError.None && error == 0 && _poll!.SawEvent)
            OnResetSeen();
        else if (_phase == Phase.EndPassedOn)
            Finish(CancelReason == IoError.None ? IoError.None : IoError.Cancelled, 0);
    }

    private void OnResetSeen()
    {
        from.Broken = true;
        if (_phase == Phase.Sending)
            QueueRetry();
        else if (_phase == Phase.EndPassedOn)
            OnReceiveFailed(WSAECONNRESET);
    }

    private void QueueRetry()
    {
        if (!_retryQueued)
        {
            _retryQueued = true;
            _progress = GetProgress();
            port.RetryLater(Retry);
        }
    }

    // Of a system that does not tell what was acknowledged, what it has taken over counts.
    private ulong GetProgress() => to.GetAcknowledgedBytes() ?? to.SentBytes;
}
