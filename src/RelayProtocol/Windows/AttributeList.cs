using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using RelayProtocol.Windows.Interop;

namespace RelayProtocol.Windows;

/// <summary>
/// The two attributes of a new process: the handles that it inherits, and the job that it is born in. Owns the native memory that
/// they point to, which must live until the process is made. One thread.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class AttributeList : IDisposable
{
    private readonly void* _list;
    private readonly nint* _handles;
    private bool _initialized;

    internal AttributeList(ReadOnlySpan<nint> inherited, nint job)
    {
        nuint size = 0;
        _ = Kernel32.InitializeProcThreadAttributeList(null, 2, 0, &size);
        _list = NativeMemory.AllocZeroed(size);
        _handles = (nint*)NativeMemory.Alloc((nuint)inherited.Length + 1, (nuint)sizeof(nint));
        inherited.CopyTo(new Span<nint>(_handles, inherited.Length));
        nint* jobs = _handles + inherited.Length;
        *jobs = job;

        _initialized = Kernel32.InitializeProcThreadAttributeList(_list, 2, 0, &size);
        if (!_initialized
            || !Kernel32.UpdateProcThreadAttribute(
                _list, 0, Kernel32.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, _handles, (nuint)(inherited.Length * sizeof(nint)), null, null)
            || !Kernel32.UpdateProcThreadAttribute(
                _list, 0, Kernel32.PROC_THREAD_ATTRIBUTE_JOB_LIST, jobs, (nuint)sizeof(nint), null, null))
        {
            Exception failure = Platform.Failure("cannot prepare a child process", Marshal.GetLastPInvokeError());
            Dispose();
            throw failure;
        }
    }

    internal nint Pointer => (nint)_list;

    public void Dispose()
    {
        if (_initialized)
        {
            Kernel32.DeleteProcThreadAttributeList(_list);
            _initialized = false;
        }
        NativeMemory.Free(_list);
        NativeMemory.Free(_handles);
    }
}
