namespace Wslrelay.Control;

/// <summary>Who reads the parent's bytes from a <see cref="ControlInput"/>; on the loop thread.</summary>
internal interface IControlReader
{
    /// <summary>Bytes have come; they are valid during the call. None is the end of the stream. Nothing more comes before <see cref="ControlInput.Next"/>.</summary>
    void Received(ReadOnlySpan<byte> bytes);
}
