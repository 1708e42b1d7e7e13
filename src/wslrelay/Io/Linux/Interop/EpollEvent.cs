using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

/// <summary>
/// The layout of <c>struct epoll_event</c>: packed to 12 bytes on x64 (EPOLL_PACKED in linux/eventpoll.h), 16 bytes with
/// natural alignment elsewhere. Read and written through offsets, so that one build serves both.
/// </summary>
internal static class EpollEvent
{
    internal static int Size => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private static int DataOffset => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    internal static unsafe uint Events(byte* @event) => *(uint*)@event;

    internal static unsafe ulong Data(byte* @event) => Unsafe.ReadUnaligned<ulong>(@event + DataOffset);

    internal static unsafe void Write(byte* @event, uint events, ulong data)
    {
        *(uint*)@event = events;
        Unsafe.WriteUnaligned(@event + DataOffset, data);
    }
}
