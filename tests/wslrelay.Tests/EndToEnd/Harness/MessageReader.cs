namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Splits a stream into MessagePack objects; reads only when it is called, so that a test can be a parent that does not read.</summary>
internal sealed class MessageReader(Stream stream)
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    /// <summary>The next object, or null at a clean end of the stream.</summary>
    public async Task<RawMessage?> NextAsync()
    {
        while (true)
        {
            if (MsgDecoder.TryDecode(_buffer.AsSpan(_start.._end), out var value, out var length))
            {
                var bytes = _buffer[_start..(_start + length)];
                _start += length;
                return new RawMessage(value, bytes);
            }

            if (_end == _buffer.Length)
                MakeRoom();

            var read = await stream.ReadAsync(_buffer.AsMemory(_end));
            if (read == 0)
                return _start == _end ? null : throw new EndOfStreamException("Standard output ended inside a message.");

            _end += read;
        }
    }

    private void MakeRoom()
    {
        var target = _end - _start > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, 0, _end - _start);
        (_buffer, _start, _end) = (target, 0, _end - _start);
    }
}
