using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>Broken messages without end, from a seed: each is a good one with something done to it, or nothing that was ever good.</summary>
internal sealed class Mutations(int seed, params byte[][] good)
{
    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        var bytes = good[_random.Next(good.Length)];
        switch (_random.Next(8))
        {
            case 0: // truncated
                return bytes[.._random.Next(bytes.Length)];
            case 1: // a few bytes wrong
                bytes = [.. bytes];
                for (var i = _random.Next(1, 4); i > 0; i--)
                    bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);

                return bytes;
            case 2: // a piece too much
                var at = _random.Next(bytes.Length);
                return [.. bytes[..at], .. Noise(_random.Next(1, 20)), .. bytes[at..]];
            case 3: // a piece missing
                var from = _random.Next(bytes.Length);
                return [.. bytes[..from], .. bytes[_random.Next(from, bytes.Length)..]];
            case 4: // far too long, or said to be
                byte code = (byte)(_random.Next(2) == 0 ? _random.Next(0xc4, 0xca) : _random.Next(0xd9, 0xe0));
                return [code, .. Noise(_random.Next(8)), .. new byte[_random.Next(20) == 0 ? 70_000 : _random.Next(3000)]];
            case 5: // other types under the right keys
                return MsgEncoder.Encode(new MsgMap { ["v"] = Thing(3), ["protocol"] = Thing(3), ["family"] = Thing(3), ["port"] = Thing(3), ["code"] = Thing(3), ["name"] = Thing(3), ["message"] = Thing(3) });
            case 6: // another thing altogether
                return MsgEncoder.Encode(Thing(20));
            default:
                return Noise(_random.Next(1, 60));
        }
    }

    private byte[] Noise(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private object? Thing(int depth) => _random.Next(depth > 0 ? 9 : 7) switch
    {
        0 => null,
        1 => _random.Next(2) == 0,
        2 => _random.Next(-5, 100),
        3 => _random.NextInt64(long.MinValue, long.MaxValue),
        4 => _random.NextDouble(),
        5 => _random.Next(3) switch { 0 => "tcp", 1 => "udp", _ => new string('x', _random.Next(50)) },
        6 => Noise(_random.Next(50)),
        7 => new object?[] { Thing(depth - 1), Thing(depth / 2) }[.._random.Next(3)],
        _ => new MsgMap { ["v"] = Thing(depth - 1) },
    };
}
