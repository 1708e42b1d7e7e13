using System.Collections;
using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using RelayProtocol.Linux.Interop;

namespace RelayProtocol.Linux;

/// <summary>
/// Starts children by posix_spawn: descriptors 0, 1 and 2 are the pipes, 3 is the exit event, everything else is closed. Any thread.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class ProcessLauncher : Platform
{
    internal const int ExitEventDescriptor = 3;

    private static bool _hasCloseFrom = true;

    /// <summary>An eventfd: readable, and so signalled, for every holder once it has been written to.</summary>
    internal override SafeHandle CreateExitEvent()
    {
        int descriptor = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw Failure("cannot make an exit event", Marshal.GetLastSystemError());
    }

    internal override void Signal(SafeHandle exitEvent)
    {
        ulong one = 1;
        // The only other outcome, EAGAIN from a counter that is full, means that it is signalled.
        _ = Libc.write(exitEvent, &one, sizeof(ulong));
    }

    protected override (Stream Parent, SafeHandle Child) Pipe(PipeDirection parentsDirection)
    {
        (SafePipeHandle read, SafePipeHandle write) = Descriptors.Pipe();
        return parentsDirection == PipeDirection.Out
            ? (new AnonymousPipeClientStream(PipeDirection.Out, write), read)
            : (new AnonymousPipeClientStream(PipeDirection.In, read), write);
    }

    protected override SafeHandle Duplicate(SafeHandle exitEvent) => Descriptors.Duplicate(exitEvent);

    protected override ChildProcess Launch(ChildStart start, SafeHandle input, SafeHandle output, SafeHandle? error, SafeHandle exitEvent)
    {
        void* actions = stackalloc ulong[Libc.SpawnStructSize / sizeof(ulong)];
        void* attributes = stackalloc ulong[Libc.SpawnStructSize / sizeof(ulong)];
        void* signals = stackalloc ulong[Libc.SpawnStructSize / sizeof(ulong)];
        string?[] argv = [start.Program, .. start.Arguments(ExitEventDescriptor), null];
        // .NET's environment: variables set in this process are not in the C library's.
        string?[] envp = [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}"), null];
        Check(Libc.posix_spawn_file_actions_init(actions));
        Check(Libc.posix_spawnattr_init(attributes));
        try
        {
            AddDescriptors(actions, start.StandardError, input, output, error, exitEvent);

            // .NET ignores SIGPIPE, and an ignored or blocked signal stays so across exec: the child begins with neither.
            Check(Libc.posix_spawnattr_setflags(attributes, Libc.POSIX_SPAWN_SETSIGDEF | Libc.POSIX_SPAWN_SETSIGMASK));
            _ = Libc.sigemptyset(signals);
            Check(Libc.posix_spawnattr_setsigmask(attributes, signals));
            _ = Libc.sigaddset(signals, Libc.SIGPIPE);
            Check(Libc.posix_spawnattr_setsigdefault(attributes, signals));

            int pid;
            int errno = Libc.posix_spawn(&pid, start.Program, actions, attributes, argv, envp);
            return errno == 0 ? new LaunchedProcess(pid) : throw SpawnFailure(start.Program, errno);
        }
        finally
        {
            _ = Libc.posix_spawn_file_actions_destroy(actions);
            _ = Libc.posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>Every source is above every destination, so that the order does not matter.</summary>
    private static void AddDescriptors(
        void* actions, RelayStandardError standardError, SafeHandle input, SafeHandle output, SafeHandle? error, SafeHandle exitEvent)
    {
        Check(Libc.posix_spawn_file_actions_adddup2(actions, (int)input.DangerousGetHandle(), 0));
        Check(Libc.posix_spawn_file_actions_adddup2(actions, (int)output.DangerousGetHandle(), 1));
        if (error is not null)
            Check(Libc.posix_spawn_file_actions_adddup2(actions, (int)error.DangerousGetHandle(), 2));
        else if (standardError == RelayStandardError.Discard || !Descriptors.IsOpen(2))
            Check(Libc.posix_spawn_file_actions_addopen(actions, 2, "/dev/null", Libc.O_WRONLY, 0));
        Check(Libc.posix_spawn_file_actions_adddup2(actions, (int)exitEvent.DangerousGetHandle(), ExitEventDescriptor));
        CloseOthers(actions);
    }

    private static void CloseOthers(void* actions)
    {
        if (_hasCloseFrom)
        {
            try
            {
                Check(Libc.posix_spawn_file_actions_addclosefrom_np(actions, Descriptors.FirstNotInherited));
                return;
            }
            catch (EntryPointNotFoundException)
            {
                _hasCloseFrom = false;
            }
        }
        // Misses a descriptor that another thread opens inheritably after this; one that is closed meanwhile is harmless.
        foreach (int descriptor in Descriptors.Inheritable())
            Check(Libc.posix_spawn_file_actions_addclose(actions, descriptor));
    }

    private static Exception SpawnFailure(string program, int errno) => errno == Libc.ENOENT
        ? new FileNotFoundException($"cannot start '{program}': there is no such program, or what it needs to run is not there", program)
        : Failure($"cannot start '{program}'", errno);

    private static void Check(int errno)
    {
        if (errno != 0)
            throw Failure("cannot prepare a child process", errno);
    }
}
