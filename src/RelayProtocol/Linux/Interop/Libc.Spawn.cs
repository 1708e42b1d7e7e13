namespace RelayProtocol.Linux.Interop;

/// <summary>
/// posix_spawn(3) and what prepares it. Its functions return the error number and leave errno alone. The structs are opaque: they
/// are 80 (actions), 336 (attributes) and 128 bytes (signal set) in glibc on 64 bits, no more in musl, and given more here.
/// </summary>
internal abstract unsafe partial class Libc
{
    internal const short POSIX_SPAWN_SETSIGDEF = 0x04;
    internal const short POSIX_SPAWN_SETSIGMASK = 0x08;
    internal const int SpawnStructSize = 512;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int posix_spawn(int* pid, string path, void* file_actions, void* attrp, string?[] argv, string?[] envp);
    [LibraryImport("libc")]
    internal static partial int posix_spawn_file_actions_init(void* file_actions);
    [LibraryImport("libc")]
    internal static partial int posix_spawn_file_actions_destroy(void* file_actions);
    [LibraryImport("libc")]
    internal static partial int posix_spawn_file_actions_adddup2(void* file_actions, int fildes, int newfildes);
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int posix_spawn_file_actions_addopen(void* file_actions, int fildes, string path, int oflag, uint mode);
    [LibraryImport("libc")]
    internal static partial int posix_spawn_file_actions_addclose(void* file_actions, int fildes);

    /// <summary>glibc 2.34 and later; musl has none.</summary>
    [LibraryImport("libc")]
    internal static partial int posix_spawn_file_actions_addclosefrom_np(void* file_actions, int from);
    [LibraryImport("libc")]
    internal static partial int posix_spawnattr_init(void* attr);
    [LibraryImport("libc")]
    internal static partial int posix_spawnattr_destroy(void* attr);
    [LibraryImport("libc")]
    internal static partial int posix_spawnattr_setflags(void* attr, short flags);
    [LibraryImport("libc")]
    internal static partial int posix_spawnattr_setsigmask(void* attr, void* sigmask);
    [LibraryImport("libc")]
    internal static partial int posix_spawnattr_setsigdefault(void* attr, void* sigdefault);
    [LibraryImport("libc")]
    internal static partial int sigemptyset(void* set);
    [LibraryImport("libc")]
    internal static partial int sigaddset(void* set, int signum);
}
