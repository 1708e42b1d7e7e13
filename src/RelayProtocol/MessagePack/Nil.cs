namespace RelayProtocol.MessagePack;

/// <summary>The one value of MessagePack's nil type. Immutable.</summary>
public readonly record struct Nil
{
    /// <summary>The value.</summary>
    public static readonly Nil Default;

    /// <summary>Writes <c>()</c>.</summary>
    /// <returns>The text <c>()</c>.</returns>
    public override string ToString() => "()";
}
