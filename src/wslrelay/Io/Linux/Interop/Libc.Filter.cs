using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// Classic BPF for SO_ATTACH_FILTER (socket(7)); constants and structures from linux/filter.h and linux/bpf_common.h.
internal static partial class Libc
{
    internal const ushort BPF_LD_B_ABS = 0x30;
    internal const ushort BPF_ALU_AND_K = 0x54;
    internal const ushort BPF_JMP_JEQ_K = 0x15;
    internal const ushort BPF_RET_K = 0x06;

    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct sock_filter(ushort code, byte jt, byte jf, uint k)
    {
        private readonly ushort _code = code;
        private readonly byte _jt = jt;
        private readonly byte _jf = jf;
        private readonly uint _k = k;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct sock_fprog
    {
        internal ushort len;
        internal sock_filter* filter;
    }
}
