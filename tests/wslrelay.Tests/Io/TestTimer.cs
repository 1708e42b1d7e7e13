using Wslrelay.Io;

namespace Wslrelay.Tests.Io;

/// <summary>A deadline that runs a callback.</summary>
internal sealed class TestTimer(Action expired) : IoTimer
{
    protected internal override void OnExpired() => expired();
}
