using System.Diagnostics;
using System.Security.Cryptography;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Foreign;

/// <summary>A web server that we did not write serves a client that we did not write.</summary>
[Collection(Alone.Name)]
public sealed class NginxTests
{
    private const int FileSize = 256 << 20;
    private const string Nginx = "/usr/sbin/nginx";

    [Fact]
    public async Task Curl_downloads_256_MB_through_a_mapping_and_then_twenty_times_at_once()
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        RequiredTool.Require(Nginx, "nginx-light", "-v");
        RequiredTool.Require("curl", "curl", "--version");
        RequiredTool.Require("sha256sum", "coreutils", "--version");
        using var folder = new TemporaryFolder();
        var checksum = await WriteFileAsync(Path.Combine(folder.Path, "file"));
        var port = Net.FreePort();
        var configuration = folder.Write("nginx.conf", Configuration(folder.Path, port));
        using var server = await ToolServer.StartAsync(port, Nginx, "-p", folder.Path, "-c", configuration);
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(port);

        var clock = Stopwatch.StartNew();
        Assert.Equal(checksum, await DownloadAsync(mapping));
        var one = clock.Elapsed;
        var checksums = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => DownloadAsync(mapping)));
        Assert.All(checksums, each => Assert.Equal(checksum, each));
        TestContext.Current.TestOutputHelper!.WriteLine($"one download {one.TotalSeconds:F1} s, twenty at once {(clock.Elapsed - one).TotalSeconds:F1} s");
        Assert.True((long)(await relay.CountersAsync(mapping))["bytesToHost"]! > 21L * FileSize);
        Assert.Equal(21L, (await relay.CountersAsync(mapping))["accepted"]);
    }

    private static async Task<string> DownloadAsync(Mapping mapping)
    {
        var run = await ProgramRun.OfAsync(
            ["/bin/sh", "-c", $"curl --silent --show-error --fail --noproxy '*' http://{mapping.EndPoint}/file | sha256sum"]);
        Assert.True(run is { ExitCode: 0, Error: "" }, $"{run}");
        return run.Output[..64];
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

    private static string Configuration(string folder, int port) => $$"""
        daemon off;
        master_process off;
        pid {{folder}}/pid;
        error_log stderr warn;
        events { worker_connections 256; }
        http {
            access_log off;
            sendfile on;
            client_body_temp_path {{folder}}/body;
            proxy_temp_path {{folder}}/proxy;
            fastcgi_temp_path {{folder}}/fastcgi;
            uwsgi_temp_path {{folder}}/uwsgi;
            scgi_temp_path {{folder}}/scgi;
            server { listen 127.0.0.1:{{port}}; root {{folder}}; }
        }
        """;
}
