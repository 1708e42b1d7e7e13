using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>A flow that has a <see cref="ServerSocket"/>. Loop thread only.</summary>
internal interface IServerOwner
{
    /// <summary>There is another address at which the server may be.</summary>
    bool HasNextAddress { get; }

    /// <summary>Opens a socket to the next address.</summary>
    /// <exception cref="IoException">There is no way to any that is left.</exception>
    IoSocket ConnectNext();

    /// <summary>The server has sent datagrams; their memory is valid only during the call.</summary>
    void Answered(DatagramBatch batch);

    /// <summary>It is over, and closed when this returns: the server's system refuses, or it was ended here (<see cref="IoError.Cancelled"/>).</summary>
    void ServerEnded(IoError error, int nativeError);
}

/// <summary>
/// A flow's connected socket towards its server. What was sent before the first answer is kept, within a bound, as long as there is another address: if the
/// first is refused, it goes there. Loop thread only.
/// </summary>
internal sealed class ServerSocket : IDatagramOwner
{
    private const int MaxKeptSize = 2048;

    // An array's own.
    private const int Overhead = 32;

    private readonly IoLoop _loop;
    private readonly IServerOwner _owner;
    private IoSocket _socket = null!;
    private IoOperation _receive = null!;
    private IoError _sendError;
    private int _nativeSendError;
    private List<byte[]>? _kept;
    private int _keptSize;

    // It has answered, or there is no other address.
    private bool _isSettled;

    internal ServerSocket(IoLoop loop, IoSocket socket, IServerOwner owner)
    {
        _loop = loop;
        _owner = owner;
        Open(socket);
    }

    internal bool IsOver { get; private set; }

    internal long Dropped => _socket.DroppedDatagrams;

    internal DatagramsSent Send(DatagramBatch batch, int first, int count)
    {
        DatagramsSent kept = _isSettled ? default : Keep(batch, first, count);
        DatagramsSent sent = Pass(batch, first, count);
        return sent.Error != IoError.None && kept.Datagrams > 0 ? kept : sent;
    }

    /// <summary>Ends it, at the latest by the wait that follows; the owner is told then.</summary>
    internal void End() => _receive.Cancel();

    public void Received(DatagramBatch batch)
    {
        _isSettled = true;
        _kept = null;
        _owner.Answered(batch);
    }

    public void Completed(IoOperation operation)
    {
        IoSocket old = _socket;
        (IoError error, int nativeError) = _sendError != IoError.None ? (_sendError, _nativeSendError) : (operation.Error, operation.NativeError);
        if (_isSettled || error == IoError.Cancelled || !_owner.HasNextAddress || !TryNext(ref error, ref nativeError))
        {
            IsOver = true;
            _owner.ServerEnded(error, nativeError);
        }

        old.Close(abort: false);
    }

    private bool TryNext(ref IoError error, ref int nativeError)
    {
        try
        {
            Open(_owner.ConnectNext());
            SendKept();
            return true;
        }
        catch (IoException e)
        {
            (error, nativeError) = (e.Error, e.NativeError);
            return false;
        }
    }

    private void Open(IoSocket socket)
    {
        _socket = socket;
        _sendError = IoError.None;
        _isSettled = !_owner.HasNextAddress;
        _receive = _loop.Port.ReceiveDatagrams(socket, this);
        _loop.Start(_receive);
    }

    private DatagramsSent Pass(DatagramBatch batch, int first, int count)
    {
        DatagramsSent sent = _loop.Port.SendDatagrams(_socket, batch, first, count);
        if (sent.Error != IoError.None)
        {
            (_sendError, _nativeSendError) = (sent.Error, sent.NativeError);
            _receive.Cancel();
        }

        return sent;
    }

    // All of it or nothing. Returns what is kept.
    private DatagramsSent Keep(DatagramBatch batch, int first, int count)
    {
        DatagramsSent kept = default;
        for (int i = first; i < first + count; i++)
        {
            kept.Datagrams += batch[i].SegmentCount;
            kept.Bytes += batch[i].Size;
        }

        if (_keptSize + kept.Bytes + (kept.Datagrams * Overhead) > MaxKeptSize)
            return default;

        _keptSize += (int)kept.Bytes + (kept.Datagrams * Overhead);
        _kept ??= [];
        for (int i = first; i < first + count; i++)
        {
            for (int segment = 0; segment < batch[i].SegmentCount; segment++)
                _kept.Add(batch[i].Segment(segment).ToArray());
        }

        return kept;
    }

    private unsafe void SendKept()
    {
        List<byte[]> kept = _kept ?? [];
        if (_isSettled)
            _kept = null;

        DatagramBatch batch = _loop.Batch;
        foreach (byte[] datagram in kept)
        {
            fixed (byte* memory = datagram)
            {
                batch.Clear();
                batch.Add(memory, datagram.Length);
                _ = Pass(batch, 0, 1);
            }
        }
    }
}
