namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>What a path between two ends is known not to keep, and so is not asked of it.</summary>
[Flags]
internal enum PathLimits
{
    None = 0,

    /// <summary>Where everything is spliced, a reset that comes close behind urgent data takes along what lay behind the urgent byte.</summary>
    LosesBehindUrgent = 1,
}
