using System.Diagnostics;
using System.Security.Cryptography;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Foreign;

/// <summary>A web server that we did not write serves a client that we did not write.</summary>
[Collection(Alone.Name)]
public sealed class NginxTests
{
    private const int FileSize = 64 << 20;

    [Fact]
    public async Task Curl_downloads_a_file_through_a_mapping_and_then_twenty_times_at_once()
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        Nginx.Require();
        using var folder = new TemporaryFolder();
        var checksum = await WriteFileAsync(Path.Combine(folder.Path, "file"));
        var port = Net.FreePort();
        using var server = await Nginx.StartAsync(folder, port);
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(port);

        var clock = Stopwatch.StartNew();
        Assert.Equal(checksum, await Nginx.DownloadAsync(mapping));
        var one = clock.Elapsed;
        var checksums = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Nginx.DownloadAsync(mapping)));
        Assert.All(checksums, each => Assert.Equal(checksum, each));
        TestContext.Current.TestOutputHelper!.WriteLine($"one download {one.TotalSeconds:F1} s, twenty at once {(clock.Elapsed - one).TotalSeconds:F1} s");
        Assert.True((long)(await relay.CountersAsync(mapping))["bytesToHost"]! > 21L * FileSize);
        Assert.Equal(21L, (await relay.CountersAsync(mapping))["accepted"]);
    }

    private static async Task<string> WriteFileAsync(string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = File.Create(path);
        for (var part = 0; part < 16; part++)
        {
            var bytes = Net.RandomBytes(FileSize / 16, part);
            hash.AppendData(bytes);
            await file.WriteAsync(bytes);
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
