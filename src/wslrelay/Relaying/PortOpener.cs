using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>Opens the host's ports for mappings, or says why one cannot be had. Loop thread only.</summary>
internal sealed class PortOpener(PortTable table, bool allowRemote)
{
    /// <summary>The time that the search for a port's owner may take where no connection waits for it.</summary>
    internal const int IdleSearchMilliseconds = 2000;

    // Searches for the owner of a port hold up the loop: each calls for a pause of 20 times its length, and none is made while these add up to more than 4 s.
    private const int SearchPauseFactor = 20;
    private const int SearchMilliseconds = 300;
    private const int MaxSearchPauseMilliseconds = 4000;

    private long _searchPauseEnd;

    /// <exception cref="RelayException">Why it cannot be mapped.</exception>
    internal MappedPort Open(PortMapping mapping, bool namesOwner)
    {
        if (!allowRemote && !IPAddress.IsLoopback(mapping.Address))
            throw new RelayException(RelayErrorCode.AddressNotAllowed, $"{mapping}: not a loopback address; start the relay with --allow-remote to listen there");

        if (mapping.Protocol == MapProtocol.Udp && table.Preamble.IsWsl)
            throw new RelayException(RelayErrorCode.NotSupported, $"{mapping}: WSL's guest protocol knows no datagrams, only tcp");

        if (mapping.GuestFamily == 0 && table.Preamble.IsWsl)
            throw new RelayException(RelayErrorCode.NotSupported, $"{mapping}: guestFamily 0 needs an answer, which WSL's own agent does not give; choose 4 or 6");

        if (table.Contains(mapping.Key))
            throw new RelayException(RelayErrorCode.AddressInUse, $"{mapping} is mapped already; unmap it first");

        try
        {
            return mapping.Protocol == MapProtocol.Udp ? DatagramListener.Open(table, mapping) : PortListener.Open(table, mapping);
        }
        catch (IoException e)
        {
            throw new RelayException(e.Error.ToErrorCode(), Describe(mapping, e, namesOwner));
        }
    }

    private string Describe(PortMapping mapping, IoException e, bool namesOwner) => e.Error switch
    {
        IoError.AddressInUse when mapping.HostPort == 0 => $"{mapping}: every port that the system may choose is in use",
        IoError.AddressInUse => $"{mapping} is in use by {(namesOwner ? FindOwner(mapping) : null) ?? "another socket"}; end that, or take another host port",
        IoError.AddressNotAvailable when e.NativeError == 0 => $"{mapping}: {e.Message}",
        IoError.AddressNotAvailable => $"{mapping}: {mapping.Address} is not an address of this machine; listen on one that is",
        IoError.NotSupported when e.NativeError != 0 => $"{mapping}: this machine has no IPv{mapping.Family}",
        IoError.TooManyOpenFiles => $"{mapping}: the relay is out of handles; unmap something or raise its limit",
        IoError.AccessDenied => $"{mapping}: the system refuses this port: {e.Message}",
        _ => $"{mapping}: {e.Message}",
    };

    private string? FindOwner(PortMapping mapping)
    {
        long now = Environment.TickCount64;
        if (mapping.Protocol == MapProtocol.Udp || _searchPauseEnd > now + MaxSearchPauseMilliseconds)
            return null;

        // Connections wait meanwhile, if there may be any.
        string? owner = table.Loop.Port.FindOwner(IoEndpoint.Tcp(mapping.Address, mapping.HostPort), table.IsEmpty ? IdleSearchMilliseconds : SearchMilliseconds);
        _searchPauseEnd = Math.Max(_searchPauseEnd, now) + (SearchPauseFactor * (Environment.TickCount64 - now));
        return owner;
    }
}
