using System.Buffers;
using System.Diagnostics;
using System.Net;
using MessagePack;
using RelayProtocol.Rpc;
using RelayProtocol.Tests.MessagePack;
using Xunit;

namespace RelayProtocol.Tests.Rpc;

/// <summary>
/// A million inputs, random and mutated, always the same ones: each ends in a value or an error that is meant, with little memory,
/// and the scanner agrees with itself and with the package about where an object ends.
/// </summary>
public class FuzzTests
{
    private const int Inputs = 1_000_000;

    private static readonly byte[] s_codes = [.. Enumerable.Range(0x80, 0x80).Select(code => (byte)code)];
    private static readonly byte[] s_lengths = [0x00, 0x01, 0x02, 0x10, 0x7f, 0x80, 0xff];

    [Fact]
    public void A_million_inputs_end_in_a_value_or_an_error()
    {
        byte[][] seeds = [.. VectorFile.AllBytes().Where(bytes => bytes.Length <= 100), .. Calls()];
        var random = new Random(20130421);
        var generous = new MessageScanner(maxSize: 1 << 20, maxDepth: 1 << 10);
        var strict = new MessageScanner(maxSize: 48, maxDepth: 3);
        byte[] input = new byte[256];
        var seen = new int[5];
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < Inputs; i++)
        {
            int length = i % 4 == 0 ? Random(random, input) : Mutate(random, seeds[random.Next(seeds.Length)], input);
            ReadOnlyMemory<byte> bytes = input.AsMemory(0, length);

            // Exceptions cost most of this; an announced length would cost far more, each time. Code that is loaded costs once.
            if (AllocatedBy(bytes) > 32 * 1024 && AllocatedBy(bytes) is > 32 * 1024 and var again)
                Assert.Fail($"{again} bytes allocated for {Convert.ToHexString(bytes.Span)}");
        }

        // All kinds of ends were met, or the test would prove little.
        Assert.All(seen[..3], count => Assert.InRange(count, Inputs / 50, 2 * Inputs));
        TestContext.Current.SendDiagnosticMessage($"{Inputs} inputs in {Stopwatch.GetElapsedTime(started)}: {string.Join(' ', seen)}");

        long AllocatedBy(ReadOnlyMemory<byte> bytes)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            generous.Reset();
            ScanStatus status = generous.Scan(bytes.Span, out int consumed);
            seen[(int)status]++;
            CheckPieces(generous, bytes.Span, status, consumed);
            strict.Reset();
            ScanStatus strictStatus = strict.Scan(bytes.Span, out int strictConsumed);
            CheckPieces(strict, bytes.Span, strictStatus, strictConsumed);
            CheckLimits(status, consumed, strictStatus, strictConsumed);
            if (status == ScanStatus.Complete)
            {
                CheckSkip(bytes, consumed);
                Decode(bytes[..consumed]);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Random_streams_give_whole_messages_until_they_break()
    {
        byte[][] seeds = [.. Calls()];
        var random = new Random(6174);
        byte[] piece = new byte[256];
        int messages = 0;
        var breaks = new Dictionary<ScanStatus, int>();
        for (int i = 0; i < 20_000; i++)
        {
            var reader = new RpcReader(maxSize: 200, maxDepth: 4);
            try
            {
                for (int pieces = 0; pieces < 30; pieces++)
                {
                    byte[] seed = seeds[random.Next(seeds.Length)];
                    int cut = random.Next(seed.Length);
                    int length = random.Next(10) == 0 ? Mutate(random, seed, piece) : Copy(seed, piece);
                    cut = Math.Min(cut, length);
                    foreach (Range part in new[] { ..cut, cut..length })
                    {
                        reader.Append(piece.AsSpan(part));
                        while (reader.TryRead(out ReadOnlyMemory<byte> message))
                        {
                            messages++;
                            RpcEnvelope envelope = RpcEnvelope.Parse(message);
                            Assert.NotEqual(envelope.Kind == RpcKind.Invalid, envelope.Problem.Length == 0);
                            var whole = new MessagePackReader(message);
                            whole.Skip();
                            Assert.True(whole.End);
                        }
                    }

                    Assert.InRange(reader.BufferedBytes, 0, 199);
                    Assert.InRange(reader.Capacity, 0, RpcReader.RestingCapacity);
                }
            }
            catch (RpcFormatException broken)
            {
                breaks[broken.Reason] = breaks.GetValueOrDefault(broken.Reason) + 1;
            }
        }

        Assert.True(messages > 100_000, $"Only {messages} messages.");
        Assert.True(breaks.Count == 3, $"Broken in these ways: {string.Join(' ', breaks)}.");
    }

    [Fact]
    public void Two_hundred_thousand_reports_of_an_agent_are_read_or_refused()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        ListenerReport.Write(ref writer, [new(IPAddress.Any, 80, Program: "nginx"), new(IPAddress.IPv6Any, 5173, IsVersion6Only: true), new(IPAddress.Loopback, 53, Protocol: MapProtocol.Udp)]);
        writer.Flush();
        byte[] seed = buffer.WrittenSpan.ToArray();
        byte[] input = new byte[256];
        var random = new Random(17);
        var (read, refused, broken) = (0, 0, 0);
        for (int i = 0; i < 200_000; i++)
        {
            var reader = new RpcReader(ListenerReport.MaxSize);
            try
            {
                reader.Append(input.AsSpan(0, Mutate(random, seed, input)));
                while (reader.TryRead(out ReadOnlyMemory<byte> message))
                {
                    var report = new MessagePackReader(message);
                    Assert.InRange(ListenerReport.Read(ref report).Count, 0, 20);
                    read++;
                }
            }
            catch (RelayException)
            {
                refused++;
            }
            catch (RpcFormatException)
            {
                broken++;
            }
        }

        Assert.All([read, refused, broken], count => Assert.InRange(count, 1000, 200_000));
    }

    private static IEnumerable<byte[]> Calls() =>
        from hex in new[]
        {
            "84 a176 01 a870726f746f636f6c a3746370 a666616d696c79 04 a4706f7274 50",
            "83 a4636f6465 d2 80070057 a46e616d65 a3616263 a76d657373616765 a178",
            "94 00 02 a5756e6d6170 91 82 a8686f7374506f7274 cd1f90 a7647261696e4d73 cd03e8",
            "94 00 03 a568656c6c6f 91 81 a870726f746f636f6c 01",
            "94 00 01 a36d6170 91 82 a8686f7374506f7274 cd1f90 a96775657374506f7274 50",
            "94 01 ce00010000 c0 92 81 a161 c2 c70305 010203",
            "94 01 02 82 a4636f6465 d2 80070057 a4 6e616d65 a3 616263 c0",
            "93 02 a56572726f72 91 81 a161 93 cb3ff8000000000000 d9 03 616263 c4 02 0000",
            "df 00000001 db 00000001 61 dd 00000002 de 0000 dc 0001 d6 ff 00000000",
        }
        select HexRuns.Parse(hex);

    private static int Random(Random random, byte[] input)
    {
        int length = random.Next(40);
        random.NextBytes(input.AsSpan(0, length));
        return length;
    }

    private static int Copy(byte[] seed, byte[] input)
    {
        seed.CopyTo(input, 0);
        return seed.Length;
    }

    private static int Mutate(Random random, byte[] seed, byte[] input)
    {
        int length = Copy(seed, input);
        for (int changes = random.Next(4); changes > 0; changes--)
        {
            int at = random.Next(length + 1);
            switch (random.Next(5))
            {
                case 0 when at < length:
                    input[at] = random.Next(2) == 0 ? (byte)0xc1 : (byte)random.Next(256);
                    break;
                case 1 when at < length:
                    input[at] = s_codes[random.Next(s_codes.Length)];
                    break;
                case 2 when at < length:
                    input[at] = s_lengths[random.Next(s_lengths.Length)];
                    break;
                case 3 when length < input.Length:
                    input.AsSpan(at, length - at).CopyTo(input.AsSpan(at + 1));
                    input[at] = s_codes[random.Next(s_codes.Length)];
                    length++;
                    break;
                case 4:
                    length = at;
                    break;
            }
        }

        return length;
    }

    private static void CheckPieces(MessageScanner scanner, ReadOnlySpan<byte> bytes, ScanStatus expected, int consumed)
    {
        scanner.Reset();
        ScanStatus status = ScanStatus.NeedMore;
        int total = 0;
        for (int i = 0; i < bytes.Length && status == ScanStatus.NeedMore; i++)
        {
            status = scanner.Scan(bytes.Slice(i, 1), out int one);
            total += one;
        }

        if (status != expected || total != consumed)
            Assert.Fail($"{expected} after {consumed} but {status} after {total} bytes one at a time: {Convert.ToHexString(bytes)}");
    }

    private static void CheckLimits(ScanStatus status, int consumed, ScanStatus strictStatus, int strictConsumed)
    {
        bool limited = strictStatus is ScanStatus.TooLarge or ScanStatus.TooDeep;
        bool agree = limited
            ? strictConsumed <= consumed
            : (strictStatus, strictConsumed) == (status, consumed);
        if (!agree || (strictStatus == ScanStatus.Complete && consumed > 48))
            Assert.Fail($"{status} after {consumed}, with limits {strictStatus} after {strictConsumed}.");
    }

    private static void CheckSkip(ReadOnlyMemory<byte> bytes, int consumed)
    {
        var reader = new MessagePackReader(bytes);
        reader.Skip();
        if (reader.Consumed != consumed)
            Assert.Fail($"The object has {consumed} bytes, {reader.Consumed} were skipped: {Convert.ToHexString(bytes.Span)}");
    }

    /// <summary>Reads a whole object as everything that the relay, a parent or an agent reads. RelayException is the one failure that is meant.</summary>
    private static void Decode(ReadOnlyMemory<byte> message)
    {
        RpcEnvelope envelope = RpcEnvelope.Parse(message);
        if (envelope.Kind is RpcKind.Request or RpcKind.Notification)
        {
            Attempt(envelope.Params, static parameters => WireFormat.ReadMapParams(parameters));
            Attempt(envelope.Params, static parameters => WireFormat.ReadUnmapParams(parameters));
            Attempt(envelope.Params, WireFormat.CheckHelloParams);
        }
        else if ((message.Span[0] & 0xf0) == 0x80)
        {
            Attempt(message, static bytes =>
            {
                var reader = new MessagePackReader(bytes);
                _ = WireFormat.ReadError(ref reader);
            });
            Attempt(message, static bytes =>
            {
                var reader = new MessagePackReader(bytes);
                _ = GuestPreamble.Read(ref reader);
            });
        }
    }

    private static void Attempt(ReadOnlyMemory<byte> bytes, Action<ReadOnlyMemory<byte>> read)
    {
        try
        {
            read(bytes);
        }
        catch (RelayException refused)
        {
            Assert.NotEmpty(refused.Message);
        }
    }
}
