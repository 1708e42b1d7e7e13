namespace Wslrelay.WaitBench;

/// <summary>What lies idle beside that which is measured.</summary>
internal enum IdleKind
{
    /// <summary>As many watched signals as listening sockets.</summary>
    Both,

    /// <summary>Watched signals only.</summary>
    Signals,

    /// <summary>Listening sockets only.</summary>
    Listeners,
}
