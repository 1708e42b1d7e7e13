using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>The file types of inode(7) that are told apart here.</summary>
internal enum FileType
{
    /// <summary>An anonymous inode: an eventfd, a pidfd or the like.</summary>
    Anonymous = 0,
    Fifo = 0x1000,
    Socket = 0xC000,
}

/// <summary>The identity and type of a file, by newfstatat(2), which unlike statx(2) no sandbox refuses.</summary>
[SupportedOSPlatform("linux")]
internal readonly record struct FileStatus(ulong Device, ulong Inode, FileType Type)
{
    private const uint TypeMask = 0xF000;
    private const int StatSize = 256;

    /// <summary>The status of a path, without following a symbolic link; null if there is none.</summary>
    internal static FileStatus? Of(string path) => Get(Libc.AT_FDCWD, path, Libc.AT_SYMLINK_NOFOLLOW);

    /// <summary>The status of an open descriptor; null if it is not open.</summary>
    internal static FileStatus? Of(int descriptor) => Get(descriptor, "", Libc.AT_EMPTY_PATH);

    private static unsafe FileStatus? Get(int directory, string path, int flags)
    {
        // struct stat begins with st_dev and st_ino; then x64 has st_nlink (64 bits) before st_mode, arm64 st_mode.
        bool isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        byte* stat = stackalloc byte[StatSize];
        return Libc.newfstatat(isX64 ? Libc.SYS_newfstatat_x64 : Libc.SYS_newfstatat_arm64, directory, path, stat, flags) == 0
            ? new FileStatus(*(ulong*)stat, *(ulong*)(stat + 8), (FileType)(*(uint*)(stat + (isX64 ? 24 : 16)) & TypeMask))
            : null;
    }
}
