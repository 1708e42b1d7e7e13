using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>Finds the flow of a datagram: by its sender, and on a wildcard address also by the address that it was sent to. Immutable.</summary>
internal sealed class FlowComparer : IEqualityComparer<Flow>, IAlternateEqualityComparer<DatagramBatch.Entry, Flow>
{
    public bool Equals(Flow? x, Flow? y) => ReferenceEquals(x, y);

    public bool Equals(DatagramBatch.Entry alternate, Flow other) => alternate.Client.Equals(other.Client) && alternate.Local.Equals(other.Local);

    public int GetHashCode(Flow obj) => HashCodeOf(obj.Client, obj.Local);

    public int GetHashCode(DatagramBatch.Entry alternate) => HashCodeOf(alternate.Client, alternate.Local);

    public Flow Create(DatagramBatch.Entry alternate) => throw new NotSupportedException();

    private static int HashCodeOf(in InternetAddress client, in InternetAddress local) => local.IsEmpty ? client.GetHashCode() : HashCode.Combine(client, local);
}
