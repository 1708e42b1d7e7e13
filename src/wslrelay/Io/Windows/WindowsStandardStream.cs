using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using static RelayProtocol.Windows.Interop.Kernel32;
using static Wslrelay.Io.Windows.Interop.Kernel32;

namespace Wslrelay.Io.Windows;

/// <summary>A standard handle of any kind: synchronous or overlapped, also one that belongs to another completion port.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class WindowsStandardStream : StandardStream
{
    private const uint FILE_READ_DATA = 1;

    // Overlapped calls of one direction at a time: each has its own event.
    private readonly nint _readEvent;
    private readonly nint _writeEvent;
    private readonly bool _isMissing;
    private ulong _readOffset;

    internal WindowsStandardStream(int number)
    {
        nint handle = GetStdHandle(STD_INPUT_HANDLE - number);
        Handle = new SafeFileHandle(handle, ownsHandle: false);
        _isMissing = handle is 0 or -1 || GetFileType(Handle) == FILE_TYPE_UNKNOWN;
        uint access = _isMissing ? 0 : InheritedSignal.GrantedAccess(Handle);
        ReadProblem = _isMissing ? "it is missing" : access != 0 && (access & FILE_READ_DATA) == 0 ? "it is open for writing only" : null;
        if (!_isMissing && WindowsPipe.IsOverlapped(Handle))
        {
            _readEvent = CreateEventW(null, bManualReset: true, bInitialState: false, null);
            _writeEvent = CreateEventW(null, bManualReset: true, bInitialState: false, null);
        }
    }

    public override SafeHandle Handle { get; }

    public override string? ReadProblem { get; }

    public override int Read(Span<byte> buffer)
    {
        if (_isMissing)
            return 0;

        fixed (byte* bytes = buffer)
        {
            OVERLAPPED overlapped = new() { Offset = (uint)_readOffset, OffsetHigh = (uint)(_readOffset >> 32), hEvent = _readEvent | 1 };
            OVERLAPPED* call = _readEvent == 0 ? null : &overlapped;
            uint count = 0;
            bool done = ReadFile(Handle, bytes, (uint)buffer.Length, &count, call);
            _ = Finish(done, call, ref count);
            _readOffset += count;
            return (int)count;
        }
    }

    public override bool Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (uint written = 0; written < (uint)bytes.Length;)
            {
                // This offset is the end of the file; a pipe has none. (WriteFile)
                OVERLAPPED overlapped = new() { Offset = uint.MaxValue, OffsetHigh = uint.MaxValue, hEvent = _writeEvent | 1 };
                OVERLAPPED* call = _writeEvent == 0 ? null : &overlapped;
                uint count = 0;
                bool done = !_isMissing && WriteFile(Handle, start + written, (uint)bytes.Length - written, &count, call);
                if (_isMissing || !Finish(done, call, ref count))
                    return false;

                written += count;
            }

            return true;
        }
    }

    // The lowest bit of the event keeps the packet from a port that the handle belongs to (GetQueuedCompletionStatus). Done at once, pending, or failed.
    private bool Finish(bool done, OVERLAPPED* call, ref uint count)
    {
        if (!done && call is not null && Marshal.GetLastPInvokeError() == NativeError.ERROR_IO_PENDING)
            done = GetOverlappedResult(Handle, call, out count, bWait: true);

        // The rest of a longer message of a message pipe comes with the next read.
        return done || Marshal.GetLastPInvokeError() == NativeError.ERROR_MORE_DATA;
    }
}
