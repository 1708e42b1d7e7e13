namespace Wslrelay.Control;

/// <summary>Receives the bytes of a <see cref="ControlInput"/>, on the loop thread.</summary>
internal interface IControlReader
{
    /// <summary>The bytes are valid during the call; an empty span is the end of file.</summary>
    void Received(ReadOnlySpan<byte> bytes);
}
