using RelayProtocol.Rpc;
using RelayProtocol.Tests.MessagePack;
using Xunit;

namespace RelayProtocol.Tests.Rpc;

/// <summary>Where an object ends, and that one which is too large or too deep is refused at the first byte that shows it.</summary>
public class MessageScannerTests
{
    [Theory]
    [InlineData("c1", 1)]
    [InlineData("91 c1", 2)]
    [InlineData("92 a3 61*3 c1", 6)]
    [InlineData("81 01 c1", 3)]
    public void The_unused_format_code_is_malformed(string hex, int length) => AssertStatus(hex, length, ScanStatus.Malformed);

    [Theory]
    [InlineData("db ffffffff", 5)]
    [InlineData("db 0000fffc", 5)]
    [InlineData("c6 ffffffff", 5)]
    [InlineData("c9 ffffffff", 5)]
    [InlineData("dd ffffffff", 5)]
    [InlineData("dd 0000fffc", 5)]
    [InlineData("df ffffffff", 5)]
    [InlineData("df 00007ffe", 5)]
    [InlineData("de 8000", 3)]
    [InlineData("dd 0000fffb a1", 6)]           // fits with elements of one byte, and one has two
    [InlineData("dd 0000fffb cf", 6)]           // the element's own length counts too
    [InlineData("92 db 0000fff9 00*65529 cc", 65536)] // of exactly the limit, until the last element proves longer
    [InlineData("dc fff0 dc 00ff", 6)]          // the parts that the outer array still waits for count too
    public void An_object_too_large_is_refused_at_its_header(string hex, int length) => AssertStatus(hex, length, ScanStatus.TooLarge);

    [Fact]
    public void Nesting_too_deep_is_refused_at_the_first_byte_that_exceeds_the_limit()
    {
        AssertStatus("91*17", 17, ScanStatus.TooDeep);
        AssertStatus("91*16 90", 17, ScanStatus.TooDeep);
        AssertStatus("91*16 dd", 17, ScanStatus.TooDeep);
        AssertStatus("8101*16 80", 33, ScanStatus.TooDeep);
        AssertStatus("92 90 91*16", 18, ScanStatus.TooDeep);
    }

    [Theory]
    [InlineData("91*15 90")]
    [InlineData("91*16 c0")]
    [InlineData("8101*16 c0")]
    [InlineData("9f 9190*15")]
    [InlineData("92 91*15 c0 91*15 c0")]
    [InlineData("db 0000fffb 00*65531")]
    [InlineData("dd 0000fffb 00*65531")]
    [InlineData("dc fffd 00*65533")]
    [InlineData("de 7ffe 00*65532")]
    [InlineData("c9 0000fffa 05 00*65530")]
    public void An_object_at_the_limits_passes(string hex) => AssertStatus(hex, HexRuns.Parse(hex).Length, ScanStatus.Complete);

    [Fact]
    public void The_constructor_sets_the_limits()
    {
        Assert.Equal(ScanStatus.Complete, new MessageScanner(1, 0).Scan([0x05], out _));
        Assert.Equal(ScanStatus.TooLarge, new MessageScanner(1, 0).Scan([0xcc], out _));
        Assert.Equal(ScanStatus.TooDeep, new MessageScanner(1, 0).Scan([0x90], out _));
        Assert.Equal(ScanStatus.Complete, new MessageScanner(1, 1).Scan([0x90], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MessageScanner(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MessageScanner(1, -1));
    }

    [Fact]
    public void After_an_object_the_next_begins_and_after_an_error_nothing()
    {
        var scanner = new MessageScanner();
        byte[] bytes = HexRuns.Parse("9101 c0 a161 c1 05");
        Assert.Equal((ScanStatus.Complete, 2), Scan(scanner, bytes));
        Assert.Equal((ScanStatus.NeedMore, 0), Scan(scanner, []));
        Assert.Equal((ScanStatus.Complete, 1), Scan(scanner, bytes.AsSpan(2)));
        Assert.Equal((ScanStatus.Complete, 2), Scan(scanner, bytes.AsSpan(3)));
        Assert.Equal((ScanStatus.Malformed, 1), Scan(scanner, bytes.AsSpan(5)));
        Assert.Equal((ScanStatus.Malformed, 0), Scan(scanner, bytes.AsSpan(6)));
        scanner.Reset();
        Assert.Equal((ScanStatus.Complete, 1), Scan(scanner, bytes.AsSpan(6)));
    }

    [Fact]
    public void Reading_only_what_is_missing_never_reads_beyond_the_object()
    {
        byte[] stream = HexRuns.Parse("82 a16101 a162 93 cd1234 db00000004 61*4 d5 05 ffff c0*100");
        const int objectLength = 23;
        var scanner = new MessageScanner();
        int read = 0;
        ScanStatus status = ScanStatus.NeedMore;
        while (status == ScanStatus.NeedMore)
        {
            int missing = scanner.Missing;
            Assert.InRange(missing, 1, objectLength - read);
            (status, int consumed) = Scan(scanner, stream.AsSpan(read, missing));
            Assert.Equal(missing, consumed);
            read += missing;
        }

        Assert.Equal((ScanStatus.Complete, objectLength), (status, read));
    }

    [Fact]
    public void Scanning_allocates_nothing()
    {
        var scanner = new MessageScanner();
        byte[] bytes = HexRuns.Parse("dc7ffe 9101*32766");
        Scan(scanner, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        (ScanStatus status, int consumed) = Scan(scanner, bytes);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal((ScanStatus.Complete, bytes.Length), (status, consumed));
    }

    private static (ScanStatus Status, int Consumed) Scan(MessageScanner scanner, ReadOnlySpan<byte> bytes) =>
        (scanner.Scan(bytes, out int consumed), consumed);

    /// <summary>Asserts that the status is known with exactly so many bytes, all at once and one at a time, whatever follows.</summary>
    private static void AssertStatus(string hex, int length, ScanStatus expected)
    {
        byte[] bytes = [.. HexRuns.Parse(hex), 0, 0, 0];
        Assert.Equal((expected, length), Scan(new MessageScanner(), bytes));

        var scanner = new MessageScanner();
        for (int i = 0; i < length; i++)
            Assert.Equal((i + 1 < length ? ScanStatus.NeedMore : expected, 1), Scan(scanner, bytes.AsSpan(i, 1)));
    }
}
