using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Opens a descriptor that becomes readable when a process exits. Runs on the thread that sets up.</summary>
[SupportedOSPlatform("linux")]
internal static class ProcessSignal
{
    private const int PollMilliseconds = 200;

    /// <summary>The caller owns the descriptor.</summary>
    /// <exception cref="IoException">There is no such process, it has exited, or it belongs to another user.</exception>
    internal static SafeFileHandle Open(int id)
    {
        // The descriptor first: if the number is given to another process from now on, the descriptor is readable all the same.
        int descriptor = Errno.Result(Libc.pidfd_open(Libc.SYS_pidfd_open, id, 0));
        SafeFileHandle? process = descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            Check(id);
        }
        catch (IoException)
        {
            process?.Dispose();
            throw;
        }

        return process ?? (-descriptor is Errno.EMFILE or Errno.ENFILE ? throw Errno.Exception(-descriptor, "pidfd_open") : Poll(id));
    }

    private static void Check(int id)
    {
        if (Libc.kill(id, 0) != 0)
            throw new IoException(IoError.Failed, Errno.Last, Errno.Last == Errno.EPERM ? OfAnotherUser(id) : $"there is no process {id}");

        string[] status;
        try
        {
            status = File.ReadAllLines($"/proc/{id}/status");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without /proc the check that it can be signalled has to be enough.
            return;
        }

        if (Field(status, "State:") is "Z" or "X")
            throw new IoException(IoError.Failed, 0, $"process {id} has exited");

        if (uint.TryParse(Field(status, "Uid:"), NumberStyles.None, CultureInfo.InvariantCulture, out uint user) && user != Libc.getuid())
            throw new IoException(IoError.AccessDenied, 0, OfAnotherUser(id));
    }

    private static string OfAnotherUser(int id) => $"process {id} belongs to another user";

    // The first word of a line of /proc/PID/status (proc(5)); of the user ids that is the real one.
    private static string Field(string[] status, string name) =>
        status.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim().Split('\t', ' ')[0] ?? "";

    // For kernels before 5.3, and sandboxes that refuse pidfd_open.
    private static unsafe SafeFileHandle Poll(int id)
    {
        int descriptor = Errno.Check(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), "eventfd");
        SafeFileHandle exited = new(descriptor, ownsHandle: true);
        bool isParent = Libc.getppid() == id;
        new Thread(Run, 256 * 1024) { IsBackground = true, Name = "parent" }.Start();
        return exited;

        void Run()
        {
            // A parent that exits is replaced at once; of any other process only the number can be asked for.
            while (isParent ? Libc.getppid() == id : Libc.kill(id, 0) == 0)
                Thread.Sleep(PollMilliseconds);

            try
            {
                ulong one = 1;
                _ = Libc.write(exited, (byte*)&one, sizeof(ulong));
            }
            catch (ObjectDisposedException)
            {
                // The relay is ending.
            }
        }
    }
}
