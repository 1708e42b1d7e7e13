using RelayProtocol.Windows.Interop;
using Xunit;

namespace RelayProtocol.Tests;

/// <summary>The sizes that Windows' headers give these structs on 64 bits; every system of ours agrees on them.</summary>
public unsafe class WindowsLayoutTests
{
    [Fact]
    public void Structs_are_as_large_as_Windows_says()
    {
        Assert.Equal(112, sizeof(Kernel32.STARTUPINFOEXW));
        Assert.Equal(24, sizeof(Kernel32.PROCESS_INFORMATION));
        Assert.Equal(144, sizeof(Kernel32.JOBOBJECT_EXTENDED_LIMIT_INFORMATION));
    }

    [Fact]
    public void Fields_are_where_Windows_says()
    {
        var startup = default(Kernel32.STARTUPINFOEXW);
        Assert.Equal(60, (byte*)&startup.dwFlags - (byte*)&startup);
        Assert.Equal(80, (byte*)&startup.hStdInput - (byte*)&startup);
        Assert.Equal(104, (byte*)&startup.lpAttributeList - (byte*)&startup);
        var limits = default(Kernel32.JOBOBJECT_EXTENDED_LIMIT_INFORMATION);
        Assert.Equal(16, (byte*)&limits.LimitFlags - (byte*)&limits);
        Assert.Equal(64, (byte*)&limits.ReadOperationCount - (byte*)&limits);
        Assert.Equal(112, (byte*)&limits.ProcessMemoryLimit - (byte*)&limits);
    }
}
