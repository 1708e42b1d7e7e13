using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>An endless sequence of broken messages, from a seed: each is a mutated good one, or random.</summary>
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
            case 2: // a piece inserted
                var at = _random.Next(bytes.Length);
                return [.. bytes[..at], .. RandomBytes(_random.Next(1, 20)), .. bytes[at..]];
            case 3: // a piece removed
                var from = _random.Next(bytes.Length);
                return [.. bytes[..from], .. bytes[_random.Next(from, bytes.Length)..]];
            case 4: // far too long, or with a length that is
                byte code = (byte)(_random.Next(2) == 0 ? _random.Next(0xc4, 0xca) : _random.Next(0xd9, 0xe0));
                return [code, .. RandomBytes(_random.Next(8)), .. new byte[_random.Next(20) == 0 ? 70_000 : _random.Next(3000)]];
            case 5: // other types under the right keys
                return MsgEncoder.Encode(new MsgMap { ["v"] = RandomValue(3), ["protocol"] = RandomValue(3), ["family"] = RandomValue(3), ["port"] = RandomValue(3), ["code"] = RandomValue(3), ["name"] = RandomValue(3), ["message"] = RandomValue(3) });
            case 6: // any other value
                return MsgEncoder.Encode(RandomValue(20));
            default:
                return RandomBytes(_random.Next(1, 60));
        }
    }

    private byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private object? RandomValue(int depth) => _random.Next(depth > 0 ? 9 : 7) switch
    {
        0 => null,
        1 => _random.Next(2) == 0,
        2 => _random.Next(-5, 100),
        3 => _random.NextInt64(long.MinValue, long.MaxValue),
        4 => _random.NextDouble(),
        5 => _random.Next(3) switch { 0 => "tcp", 1 => "udp", _ => new string('x', _random.Next(50)) },
        6 => RandomBytes(_random.Next(50)),
        7 => new object?[] { RandomValue(depth - 1), RandomValue(depth / 2) }[.._random.Next(3)],
        _ => new MsgMap { ["v"] = RandomValue(depth - 1) },
    };
}
