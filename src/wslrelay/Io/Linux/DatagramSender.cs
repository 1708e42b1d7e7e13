using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Sends with sendmmsg(2). Datagrams of one size behind each other go through the kernel as one message (udp(7), UDP_SEGMENT), which costs a fraction of
/// sending each. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class DatagramSender : IDisposable
{
    // Of one message, in every kernel that knows the option; and what leaves room for the headers below 64 KiB.
    private const int MaxSegments = 64;
    private const int MaxSegmentedSize = 65_000;

    // A segment has to fit into one packet: what every link carries. Larger ones are few for their bytes.
    private const int MaxSegmentSize = 1400;

    private readonly DatagramMessages _messages = new();
    private readonly int[] _datagrams = new int[DatagramBatch.Capacity];
    private readonly int[] _firstItems = new int[DatagramBatch.Capacity];
    private bool? _knowsSegments;
    private int _count;
    private int _vectors;

    internal DatagramsSent Send(EpollHandle socket, DatagramBatch batch, int first, int count, in InternetAddress to, in InternetAddress from)
    {
        int nameSize = to.IsEmpty ? 0 : to.Write(new Span<byte>(_messages.Name(0), InternetAddress.MaxSize), (ushort)(to.IsV6 ? Libc.AF_INET6 : Libc.AF_INET));

        // An older kernel would ignore the option, and send all as one datagram.
        bool canSegment = _knowsSegments ??= socket.GetOption(Libc.IPPROTO_UDP, Libc.UDP_SEGMENT) >= 0;
        DatagramsSent sent = default;
        (int Item, int Segment) next = (first, 0);
        while (next.Item < first + count)
        {
            next = Build(batch, next, first + count, canSegment, nameSize, from);
            int error = SendBuilt(socket, ref sent, out int failed);
            if (error is Errno.EINVAL or Errno.EMSGSIZE or Errno.EIO or Errno.EPERM or Errno.EACCES && _datagrams[failed] > 1)
            {
                // The link's packets are smaller, its driver cannot, or a firewall stops them: again from there, each for itself.
                canSegment = false;
                next = (_firstItems[failed], 0);
            }
            else if (error is not (0 or Errno.EAGAIN) && socket.IsConnection)
            {
                (sent.Error, sent.NativeError) = (Errno.ToIoError(error), error);
                break;
            }
            else if (error != 0)
            {
                // The socket is full, and what follows would overtake if it found room.
                break;
            }
        }

        for (int i = first; i < first + count; i++)
            sent.Dropped += batch[i].SegmentCount;

        sent.Dropped -= sent.Datagrams;
        return sent;
    }

    public void Dispose() => _messages.Dispose();

    // Makes as many messages as there is room for. Returns what comes next.
    private (int Item, int Segment) Build(DatagramBatch batch, (int Item, int Segment) next, int end, bool canSegment, int nameSize, in InternetAddress from)
    {
        _count = _vectors = 0;
        while (next.Item < end && _count < DatagramBatch.Capacity && _vectors < DatagramBatch.Capacity)
        {
            ref readonly DatagramBatch.Entry item = ref batch[next.Item];
            _firstItems[_count] = next.Item;
            int firstVector = _vectors;
            int segments = 1;
            if (item.SegmentCount > 1 && canSegment && item.SegmentCount <= MaxSegments && item.SegmentSize <= MaxSegmentSize)
            {
                segments = item.SegmentCount;
                AddVector(item.Memory, item.Size);
                next.Item++;
            }
            else if (item.SegmentCount > 1)
            {
                int start = next.Segment * item.SegmentSize;
                AddVector(item.Memory + start, Math.Min(item.SegmentSize, item.Size - start));
                next = next.Segment + 1 < item.SegmentCount ? (next.Item, next.Segment + 1) : (next.Item + 1, 0);
            }
            else
            {
                segments = canSegment ? EqualSizes(batch, next.Item, end) : 1;
                for (int i = 0; i < segments; i++, next.Item++)
                    AddVector(batch[next.Item].Memory, batch[next.Item].Size);
            }

            AddMessage(firstVector, segments, item.SegmentSize, nameSize, from);
        }

        return next;
    }

    // How many datagrams are of the first one's size, and at most one smaller behind them.
    private int EqualSizes(DatagramBatch batch, int first, int end)
    {
        int size = batch[first].Size;
        int count = 1;
        int total = size;
        bool isLast = size is 0 or > MaxSegmentSize;
        while (!isLast && first + count < end && _vectors + count < DatagramBatch.Capacity)
        {
            ref readonly DatagramBatch.Entry item = ref batch[first + count];
            total += item.Size;
            if (item.SegmentCount > 1 || item.Size > size || item.Size == 0 || total > MaxSegmentedSize)
                break;

            isLast = item.Size < size;
            count++;
        }

        return count;
    }

    private void AddVector(byte* memory, int size) => _messages.Vectors[_vectors++] = new Libc.IoVector { Base = memory, Length = (nuint)size };

    private void AddMessage(int firstVector, int segments, int segmentSize, int nameSize, in InternetAddress from)
    {
        byte* control = _messages.Control(_count);
        int controlSize = 0;
        if (segments > 1)
            *(ushort*)AddControl(control, ref controlSize, Libc.IPPROTO_UDP, Libc.UDP_SEGMENT, sizeof(ushort)) = (ushort)segmentSize;

        if (!from.IsEmpty)
        {
            // struct in_pktinfo: interface, ipi_spec_dst, ipi_addr. struct in6_pktinfo: address, interface.
            byte* info = from.IsV6
                ? AddControl(control, ref controlSize, Libc.IPPROTO_IPV6, Libc.IPV6_PKTINFO, 20)
                : AddControl(control, ref controlSize, Libc.IPPROTO_IP, Libc.IP_PKTINFO, 12);
            from.WriteAddress(new Span<byte>(from.IsV6 ? info : info + 4, 16));
            if (from.IsV6)
                *(uint*)(info + 16) = from.Scope;
        }

        _messages.Messages[_count].Header = new Libc.MessageHeader
        {
            Name = nameSize > 0 ? _messages.Name(0) : null,
            NameLength = (uint)nameSize,
            Vectors = _messages.Vectors + firstVector,
            VectorCount = (nuint)(_vectors - firstVector),
            Control = controlSize > 0 ? control : null,
            ControlLength = (nuint)controlSize,
        };
        _datagrams[_count++] = segments;
    }

    // Returns where its data goes, which is zero.
    private static byte* AddControl(byte* control, ref int size, int level, int type, int dataSize)
    {
        var header = (Libc.ControlHeader*)(control + size);
        *header = new Libc.ControlHeader { Length = (nuint)(sizeof(Libc.ControlHeader) + dataSize), Level = level, Type = type };
        NativeMemory.Clear(header + 1, (nuint)((dataSize + 7) & ~7));
        size += sizeof(Libc.ControlHeader) + ((dataSize + 7) & ~7);
        return (byte*)(header + 1);
    }

    // Sends the messages. Returns the error after which the rest is not worth a call, and the message that had it; 0 if there was none.
    private int SendBuilt(EpollHandle socket, ref DatagramsSent sent, out int next)
    {
        next = 0;
        while (next < _count)
        {
            int result = Errno.Result(Libc.sendmmsg(socket, _messages.Messages + next, (uint)(_count - next), Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL));
            for (int taken = 0; taken < result; taken++, next++)
            {
                sent.Datagrams += _datagrams[next];
                sent.Bytes += _messages.Messages[next].Length;
            }

            if (result >= 0 || result == -Errno.EINTR)
                continue;

            // A datagram too large for its family, or one that a firewall stops, is lost without affecting others; so is one whose receiver is gone, unless it is the only one there is.
            bool concernsOne = !socket.IsConnection || -result is Errno.EMSGSIZE or Errno.EPERM or Errno.EACCES or Errno.EINVAL;
            if (_datagrams[next] > 1 || -result is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM)
                return -result is Errno.ENOBUFS or Errno.ENOMEM ? Errno.EAGAIN : -result;

            if (!concernsOne)
                return -result;

            next++;
        }

        return 0;
    }
}
