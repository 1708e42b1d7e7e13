using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Receives with recvmmsg(2), for every socket of a port into the same memory: an idle socket holds none. The system gives a page when it is first written.
/// Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class DatagramReceiver : IDisposable
{
    // Larger than any datagram; and not a power of two, so that the first bytes of all are not in the same few lines of the cache.
    private const int SlotSize = 65536 + 192;

    // With the name of the sender, and without.
    private readonly DatagramMessages _named = new();
    private readonly DatagramMessages _unnamed = new();
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc((nuint)DatagramBatch.Capacity * SlotSize, 64);

    internal DatagramReceiver()
    {
        Prepare(_named, DatagramBatch.Capacity, isNamed: true);
        Prepare(_unnamed, DatagramBatch.Capacity, isNamed: false);
    }

    /// <summary>What the last call has received.</summary>
    internal DatagramBatch Batch { get; } = new();

    /// <summary>Returns how many messages came, or a negative errno.</summary>
    internal int Receive(EpollHandle socket)
    {
        DatagramMessages messages = socket.IsConnection ? _unnamed : _named;
        Batch.Clear();
        int count;
        do
        {
            count = Errno.Result(Libc.recvmmsg(socket, messages.Messages, DatagramBatch.Capacity, Libc.MSG_DONTWAIT, null));
        }
        while (count == -Errno.EINTR);

        for (int i = 0; i < count; i++)
            Add(messages, i);

        // What the kernel has changed.
        Prepare(messages, Math.Max(count, 0), isNamed: !socket.IsConnection);
        return count;
    }

    public void Dispose()
    {
        _named.Dispose();
        _unnamed.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private void Prepare(DatagramMessages messages, int count, bool isNamed)
    {
        for (int i = 0; i < count; i++)
        {
            messages.Vectors[i] = new Libc.IoVector { Base = _memory + (i * SlotSize), Length = SlotSize };
            messages.Messages[i].Header = new Libc.MessageHeader
            {
                Name = isNamed ? messages.Name(i) : null,
                NameLength = isNamed ? (uint)InternetAddress.MaxSize : 0,
                Vectors = messages.Vectors + i,
                VectorCount = 1,
                Control = messages.Control(i),
                ControlLength = DatagramMessages.ControlSize,
            };
        }
    }

    private void Add(DatagramMessages messages, int index)
    {
        ref readonly Libc.MultiMessageHeader message = ref messages.Messages[index];
        int segmentSize = 0;
        InternetAddress local = default;
        for (int offset = 0; offset + sizeof(Libc.ControlHeader) <= (int)message.Header.ControlLength;)
        {
            var control = (Libc.ControlHeader*)(message.Header.Control + offset);
            ReadOnlySpan<byte> data = new(control + 1, (int)control->Length - sizeof(Libc.ControlHeader));
            if (control->Level == Libc.IPPROTO_UDP && control->Type == Libc.UDP_GRO)
                segmentSize = BitConverter.ToInt32(data);
            else if (control->Level == Libc.IPPROTO_IP && control->Type == Libc.IP_PKTINFO)
                local = InternetAddress.ReadV4(data[4..8]); // ipi_spec_dst: this machine's address, where a broadcast went out to another.
            else if (control->Level == Libc.IPPROTO_IPV6 && control->Type == Libc.IPV6_PKTINFO && data[0] != 0xff)
                local = InternetAddress.ReadV6(data[..16], 0, BitConverter.ToUInt32(data[16..])); // A multicast address sends nothing.

            offset += ((int)control->Length + 7) & ~7;
        }

        InternetAddress client = message.Header.Name is null ? default : SocketAddress.Read(new ReadOnlySpan<byte>(message.Header.Name, InternetAddress.MaxSize));
        Batch.Add(_memory + (index * SlotSize), (int)message.Length, segmentSize, client, local);
    }
}
