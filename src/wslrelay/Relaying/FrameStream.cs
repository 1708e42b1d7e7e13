using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>A flow whose datagrams go over a stream. Loop thread only.</summary>
internal interface IFrameOwner
{
    /// <summary>Datagrams have come; their memory is valid only during the call.</summary>
    void Received(DatagramBatch batch);

    /// <summary>The stream has taken datagrams, or they were dropped.</summary>
    void Sent(in DatagramsSent sent)
    {
    }

    /// <summary>The stream is over, and the kernel has let go of it: it may be closed.</summary>
    void StreamEnded();
}

/// <summary>
/// Datagrams over a stream, each behind its length (protocol, section 6). While the stream takes one buffer the next gathers, and what finds no room there is
/// dropped, whole. An idle stream owns no buffer: it waits for a length only. Loop thread only.
/// </summary>
internal sealed class FrameStream(IoLoop loop, IFrameOwner owner) : IIoOwner
{
    private const int LengthSize = sizeof(ushort);

    private readonly byte[] _lengthBytes = GC.AllocateUninitializedArray<byte>(LengthSize, pinned: true);
    private TransferOperation? _send;
    private TransferOperation? _receive;
    private Load _sending;
    private Load _gathering;
    private byte[]? _buffer;

    // Of the datagram that is being received: the bytes of its length, its length, and how much of it is at the front of the buffer.
    private int _lengthCount;
    private ushort _length;
    private int _size;
    private bool _isSending;
    private bool _isReceiving;
    private bool _endsAfterSending;

    /// <summary>It has failed, has ended or was cancelled.</summary>
    internal bool IsOver { get; private set; }

    /// <summary>The other side is why it is over.</summary>
    internal bool EndedByPeer { get; private set; }

    internal bool IsRunning => _isSending || _isReceiving;

    /// <summary>From now on datagrams are sent, first those that have waited for it. Nothing else may send on the stream.</summary>
    internal void OpenSend(IoSocket stream)
    {
        _send = loop.Port.Send(stream, this);
        Flush();
    }

    /// <summary>Receives from now on, first what came along with something else. Nothing else may receive from the stream.</summary>
    internal void OpenReceive(IoSocket stream, ReadOnlySpan<byte> received)
    {
        _receive = loop.Port.Receive(stream, this);
        if (received.Length > 0)
        {
            _buffer = loop.Buffers.Rent();
            received.CopyTo(_buffer);
            Parse(_buffer, received.Length);
        }

        ReceiveNext();
    }

    /// <summary>Sends datagrams of a batch; what finds no room is dropped.</summary>
    internal void Send(DatagramBatch batch, int first, int count)
    {
        int dropped = 0;
        for (int i = first; i < first + count; i++)
        {
            for (int segment = 0; segment < batch[i].SegmentCount; segment++)
                dropped += TryGather(batch[i].Segment(segment)) ? 0 : 1;
        }

        if (dropped > 0)
            owner.Sent(new DatagramsSent(0, 0, dropped));

        Flush();
    }

    /// <summary>Drops what is unsent. The owner is notified of the end, unless nothing runs any more.</summary>
    internal void Cancel()
    {
        IsOver = true;
        Drop(ref _gathering);
        _send?.Cancel();
        _receive?.Cancel();
    }

    /// <summary>Receives no more, and ends once what is gathered has been sent.</summary>
    internal void EndAfterSending()
    {
        _endsAfterSending = true;
        _receive?.Cancel();
        if (!_isSending)
            Cancel();
    }

    public void Completed(IoOperation operation)
    {
        bool isEnd = operation.Error != IoError.None || (operation == _receive && _receive.BytesTransferred == 0);
        EndedByPeer |= isEnd && !IsOver && operation.Error != IoError.Cancelled;
        if (operation == _send)
            SendCompleted();
        else
            ReceiveCompleted();

        if (IsOver && !IsRunning)
        {
            ReturnBuffer();
            owner.StreamEnded();
        }
    }

    private void SendCompleted()
    {
        _isSending = false;
        if (_send!.Error == IoError.None)
        {
            owner.Sent(new DatagramsSent(_sending.Datagrams, _sending.Size - (_sending.Datagrams * LengthSize), 0));
            _sending.Datagrams = 0;
        }

        Drop(ref _sending);
        if (_send.Error == IoError.None && !IsOver)
            Flush();
        else
            Cancel();

        if (_endsAfterSending && !_isSending)
            Cancel();
    }

    private void ReceiveCompleted()
    {
        _isReceiving = false;
        if (_receive!.Error == IoError.None && _receive.BytesTransferred > 0 && !IsOver)
        {
            if (_buffer is null)
                Parse(_lengthBytes, _receive.BytesTransferred);
            else
                Parse(_buffer, _size + _receive.BytesTransferred);

            ReceiveNext();
        }
        else if (!_endsAfterSending || !_isSending || _receive.Error != IoError.Cancelled)
        {
            Cancel();
        }
    }

    private void Flush()
    {
        if (_isSending || IsOver || _send is null || _gathering.Size == 0)
            return;

        (_sending, _gathering) = (_gathering, default);
        _isSending = true;
        _send.Buffer = _sending.Buffer.AsMemory(0, _sending.Size);
        loop.Start(_send);
    }

    private bool TryGather(ReadOnlySpan<byte> datagram)
    {
        if (IsOver || _gathering.Size + LengthSize + datagram.Length > BufferPool.BufferSize)
            return false;

        _gathering.Buffer ??= loop.Buffers.Rent();
        Span<byte> room = _gathering.Buffer.AsSpan(_gathering.Size);
        BinaryPrimitives.WriteUInt16BigEndian(room, (ushort)datagram.Length);
        datagram.CopyTo(room[LengthSize..]);
        _gathering.Size += LengthSize + datagram.Length;
        _gathering.Datagrams++;
        return true;
    }

    // Gives the buffer back too where all of it was sent.
    private void Drop(ref Load load)
    {
        if (load.Datagrams > 0)
            owner.Sent(new DatagramsSent(0, 0, load.Datagrams));

        if (load.Buffer is not null)
            loop.Buffers.Return(load.Buffer);

        load = default;
    }

    // Hands over every whole datagram of the first so many bytes, and moves the rest to the front.
    private unsafe void Parse(byte[] pinned, int end)
    {
        byte* memory = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
        DatagramBatch batch = loop.Batch;
        batch.Clear();
        int next = 0;
        while (!IsOver)
        {
            for (; _lengthCount < LengthSize && next < end; _lengthCount++)
                _length = (ushort)((_length << 8) | pinned[next++]);

            if (_lengthCount < LengthSize || end - next < _length)
                break;

            batch.Add(memory + next, _length);
            next += _length;
            _lengthCount = 0;
            if (batch.Count == DatagramBatch.Capacity)
            {
                owner.Received(batch);
                batch.Clear();
            }
        }

        if (batch.Count > 0 && !IsOver)
            owner.Received(batch);

        _size = end - next;
        if (_size > 0 && next > 0)
            pinned.AsSpan(next, _size).CopyTo(pinned);
    }

    private void ReceiveNext()
    {
        if (IsOver)
            return;

        if (_lengthCount == LengthSize)
        {
            _buffer ??= loop.Buffers.Rent();
            _receive!.Buffer = _buffer.AsMemory(_size);
        }
        else
        {
            ReturnBuffer();
            _receive!.Buffer = _lengthBytes.AsMemory(0, LengthSize - _lengthCount);
        }

        _isReceiving = true;
        loop.Start(_receive);
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
            loop.Buffers.Return(_buffer);

        _buffer = null;
    }

    private struct Load
    {
        internal byte[]? Buffer;
        internal int Size;
        internal int Datagrams;
    }
}
