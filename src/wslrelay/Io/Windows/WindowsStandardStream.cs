using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static RelayProtocol.Windows.Interop.Kernel32;
using static Wslrelay.Io.Windows.Interop.Kernel32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>A standard handle of any kind: synchronous or overlapped, also one that belongs to another completion port.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class WindowsStandardStream : StandardStream
{
    // Of the one overlapped call at a time; 0 where the handle is synchronous.
    private readonly nint _event;
    private readonly bool _isMissing;
    private ulong _readOffset;

    internal WindowsStandardStream(int number)
    {
        nint handle = GetStdHandle(STD_INPUT_HANDLE - number);
        Handle = new SafeFileHandle(handle, ownsHandle: false);
        _isMissing = handle is 0 or -1 || GetFileType(Handle) == FILE_TYPE_UNKNOWN;
        uint access = _isMissing ? 0 : ForeignHandle.GrantedAccess(Handle);
        ReadProblem = _isMissing ? "it is missing" : access != 0 && (access & FILE_READ_DATA) == 0 ? "it is open for writing only" : null;
        if (!_isMissing && WindowsPipe.IsOverlapped(Handle))
            _event = CreateEventW(null, bManualReset: true, bInitialState: false, null);
    }

    public override SafeHandle Handle { get; }

    public override string? ReadProblem { get; }

    public override (int Columns, int Rows)? TerminalSize =>
        GetConsoleScreenBufferInfo(Handle, out CONSOLE_SCREEN_BUFFER_INFO info) ? (info.Right - info.Left + 1, info.Bottom - info.Top + 1) : null;

    public override bool UseEscapes() =>
        GetConsoleMode(Handle, out uint mode) && SetConsoleMode(Handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);

    public override int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            _ = Call(write: false, start, (uint)buffer.Length, _readOffset, out uint count);
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
                if (!Call(write: true, start + written, (uint)bytes.Length - written, ulong.MaxValue, out uint count))
                    return false;

                written += count;
            }

            return true;
        }
    }

    private bool Call(bool write, byte* start, uint length, ulong offset, out uint transferred)
    {
        transferred = 0;
        if (_isMissing)
            return false;

        // The lowest bit of the event keeps the packet from a port that the handle belongs to (GetQueuedCompletionStatus).
        OVERLAPPED overlapped = new() { Offset = (uint)offset, OffsetHigh = (uint)(offset >> 32), hEvent = _event | 1 };
        OVERLAPPED* call = _event == 0 ? null : &overlapped;
        uint count = 0;
        int error = ErrorUnless(write ? WriteFile(Handle, start, length, &count, call) : ReadFile(Handle, start, length, &count, call));
        if (error == ERROR_IO_PENDING && call is not null)
            error = ErrorUnless(GetOverlappedResult(Handle, call, out count, bWait: true));

        // The rest of a longer message of a message pipe comes with the next read.
        transferred = count;
        return error is 0 or ERROR_MORE_DATA;
    }
}
