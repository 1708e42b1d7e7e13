namespace RelayProtocol.MessagePack;

/// <summary>
/// Thrown when bytes are not the MessagePack object that was asked for: another type, an invalid code, or a value that .NET's type
/// cannot hold. Bytes that end too early are an <see cref="EndOfStreamException"/>, an integer that is out of the range asked for is
/// an <see cref="OverflowException"/>.
/// </summary>
public class MessagePackSerializationException : Exception
{
    /// <summary>Makes an exception with a general message.</summary>
    public MessagePackSerializationException()
    {
    }

    /// <summary>Makes an exception with a message.</summary>
    /// <param name="message">What is wrong with the bytes, for a person.</param>
    public MessagePackSerializationException(string? message)
        : base(message)
    {
    }

    /// <summary>Makes an exception with a message and a cause.</summary>
    /// <param name="message">What is wrong with the bytes, for a person.</param>
    /// <param name="inner">What was thrown first.</param>
    public MessagePackSerializationException(string? message, Exception? inner)
        : base(message, inner)
    {
    }
}
