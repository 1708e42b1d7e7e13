namespace Wslrelay.Io;

/// <summary>A timer that calls an action on the loop thread.</summary>
internal sealed class ActionTimer(Action expired) : IoTimer
{
    protected internal override void OnExpired() => expired();
}
