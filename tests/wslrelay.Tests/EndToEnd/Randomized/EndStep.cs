namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>One step of an end's script: what it does, and with how many bytes or for how many milliseconds.</summary>
internal readonly record struct EndStep(EndAction Action, int Amount = 0)
{
    public override string ToString() => Amount == 0 ? $"{Action}" : $"{Action} {Amount}";
}
