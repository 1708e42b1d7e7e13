using System.Collections;

namespace RelayProtocol;

/// <summary>Ports as <c>80,3000-3999</c> names them. Immutable; any thread.</summary>
internal sealed class PortSet
{
    private readonly BitArray _ports = new(65536);

    internal bool Contains(int port) => _ports[port];

    /// <summary>Reads numbers and ranges of 1..65535 with commas between; an empty text is no port.</summary>
    /// <exception cref="FormatException">The message says what is wrong.</exception>
    internal static PortSet Parse(string text)
    {
        var set = new PortSet();
        int[] begun = new int[65537]; // the change in the number of parts that contain a port, from one port to the next
        foreach (string part in text.Length == 0 ? [] : text.Split(','))
        {
            string[] ends = part.Split('-', 2);
            uint first = EndpointText.ParseNumber("port", ends[0], 1, 65535);
            uint last = EndpointText.ParseNumber("port", ends[^1], 1, 65535);
            if (last < first)
                throw new FormatException($"the ports {part} run backwards: the lower comes first");
            begun[first]++;
            begun[last + 1]--;
        }
        for (int port = 1, parts = 0; port <= 65535; port++)
            set._ports[port] = (parts += begun[port]) > 0;
        return set;
    }
}
