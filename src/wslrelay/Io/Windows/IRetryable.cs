namespace Wslrelay.Io.Windows;

/// <summary>What <see cref="CompletionPort.RetryLater"/> calls, once, on the loop thread. It may no longer be wanted by then.</summary>
internal interface IRetryable
{
    void Retry();
}
