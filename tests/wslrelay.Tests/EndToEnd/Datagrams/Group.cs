using System.Collections.ObjectModel;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Several objects that are disposed together.</summary>
internal sealed class Group<T>(IEnumerable<T> members) : Collection<T>([.. members]), IDisposable
    where T : IDisposable
{
    public void Dispose()
    {
        foreach (var member in this)
            member.Dispose();
    }
}
