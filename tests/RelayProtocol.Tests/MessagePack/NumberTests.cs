using System.Buffers;
using System.Globalization;
using System.Numerics;
using RelayProtocol.MessagePack;
using Xunit;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>Every integer method with every encoding at every boundary, and numbers read as floats.</summary>
public class NumberTests
{
    private delegate T Read<T>(ref MessagePackReader reader);

    private static readonly BigInteger[] s_boundaries =
    [
        .. from power in new[] { 0, 5, 7, 8, 15, 16, 31, 32, 63, 64 }
           from offset in new[] { -1, 0, 1 }
           from sign in new[] { -1, 1 }
           select (sign * BigInteger.Pow(2, power)) + offset,
    ];

    [Fact]
    public void Integers_are_read_from_every_encoding_within_the_range_of_the_method()
    {
        int read = 0;
        foreach (BigInteger value in s_boundaries)
        {
            foreach (byte[] bytes in Encodings(value))
            {
                Check(value, bytes, static (ref r) => r.ReadByte());
                Check(value, bytes, static (ref r) => r.ReadSByte());
                Check(value, bytes, static (ref r) => r.ReadUInt16());
                Check(value, bytes, static (ref r) => r.ReadInt16());
                Check(value, bytes, static (ref r) => r.ReadUInt32());
                Check(value, bytes, static (ref r) => r.ReadInt32());
                Check(value, bytes, static (ref r) => r.ReadUInt64());
                Check(value, bytes, static (ref r) => r.ReadInt64());
                Check(value, bytes, static (ref r) => r.ReadChar());
                read++;
            }
        }

        Assert.True(read > 150, $"Only {read} encodings.");
    }

    [Fact]
    public void Integers_are_written_in_the_shortest_encoding_whatever_their_type()
    {
        foreach (BigInteger value in s_boundaries)
        {
            byte[][] encodings = [.. Encodings(value)];
            if (encodings.Length > 0)
            {
                string expected = Convert.ToHexString(encodings.MinBy(bytes => bytes.Length)!);
                CheckWritten<byte>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<sbyte>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<ushort>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<short>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<uint>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<int>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<ulong>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<long>(value, expected, static (ref w, v) => w.Write(v));
                CheckWritten<char>(value, expected, static (ref w, v) => w.Write(v));
                Assert.Equal(
                    expected.Length / 2,
                    value < 0 ? MessagePackWriter.GetEncodedLength((long)value) : MessagePackWriter.GetEncodedLength((ulong)value));
            }
        }
    }

    [Theory]
    [InlineData("05", 5.0)]
    [InlineData("ff", -1.0)]
    [InlineData("d3ffffffffffffffff", -1.0)]
    [InlineData("d38000000000000000", -9223372036854775808.0)]
    [InlineData("cf8000000000000000", 9223372036854775808.0)]
    [InlineData("cfffffffffffffffff", 18446744073709551615.0)]
    [InlineData("ca3fc00000", 1.5)]
    [InlineData("cb3ff8000000000000", 1.5)]
    [InlineData("ca7f800000", double.PositiveInfinity)]
    public void Any_number_is_read_as_a_float(string hex, double expected)
    {
        byte[] bytes = HexRuns.Parse(hex);
        Assert.Equal(expected, new MessagePackReader(bytes).ReadDouble());
        Assert.Equal((float)expected, new MessagePackReader(bytes).ReadSingle());
    }

    [Fact]
    public void A_float_of_64_bits_is_rounded_to_32_and_an_integer_only_once()
    {
        Assert.Equal(float.PositiveInfinity, new MessagePackReader(HexRuns.Parse("cb7fefffffffffffff")).ReadSingle());

        // 2^61 + 2^37 + 1 lies just above the middle of two floats, and exactly on it once it is a double.
        long between = (1L << 61) + (1L << 37) + 1;
        Assert.NotEqual((float)(double)between, (float)between);
        Assert.Equal((float)between, new MessagePackReader(HexRuns.Parse($"d3{between:x16}")).ReadSingle());
    }

    // Both the fix formats and each of the wide ones that hold the value, by the specification and not by our writer.
    private static IEnumerable<byte[]> Encodings(BigInteger value)
    {
        if (value >= -32 && value <= 127)
        {
            yield return [unchecked((byte)(int)value)];
        }

        for (int width = 0; width < 4; width++)
        {
            int bits = 8 << width;
            foreach (bool unsigned in new[] { true, false })
            {
                BigInteger lowest = unsigned ? 0 : -BigInteger.Pow(2, bits - 1);
                BigInteger highest = BigInteger.Pow(2, unsigned ? bits : bits - 1) - 1;
                if (value >= lowest && value <= highest)
                {
                    ulong image = (ulong)(value & ulong.MaxValue) & (ulong.MaxValue >> (64 - bits));
                    string digits = image.ToString($"x{bits / 4}", CultureInfo.InvariantCulture);
                    yield return [(byte)((unsigned ? 0xcc : 0xd0) + width), .. Convert.FromHexString(digits)];
                }
            }
        }
    }

    private static void Check<T>(BigInteger value, byte[] bytes, Read<T> read)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        bool fits = value >= BigInteger.CreateChecked(T.MinValue) && value <= BigInteger.CreateChecked(T.MaxValue);
        var reader = new MessagePackReader(bytes);
        try
        {
            T actual = read(ref reader);
            Assert.True(fits, $"{value} was read as {actual} of {typeof(T).Name}.");
            Assert.Equal(value, BigInteger.CreateChecked(actual));
            Assert.True(reader.End);
        }
        catch (OverflowException)
        {
            Assert.False(fits, $"{value} was not read as {typeof(T).Name} from {Convert.ToHexString(bytes)}.");
        }
    }

    private delegate void Write<T>(ref MessagePackWriter writer, T value);

    private static void CheckWritten<T>(BigInteger value, string expected, Write<T> write)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (value >= BigInteger.CreateChecked(T.MinValue) && value <= BigInteger.CreateChecked(T.MaxValue))
        {
            var output = new ArrayBufferWriter<byte>();
            var writer = new MessagePackWriter(output);
            write(ref writer, T.CreateChecked(value));
            writer.Flush();
            Assert.Equal(expected, Convert.ToHexString(output.WrittenSpan));
        }
    }
}
