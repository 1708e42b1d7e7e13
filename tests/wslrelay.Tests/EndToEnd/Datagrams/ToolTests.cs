using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Wslrelay.Tests.EndToEnd.Foreign;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Programs that people use, through udp mappings.</summary>
[Collection(Alone.Name)]
public sealed class ToolTests
{
    private const int Names = 500;

    [Theory]
    [InlineData("direct")]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Dig_gets_five_hundred_names_at_once_and_an_answer_of_four_kilobytes(string hop)
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        RequiredTool.Require("dig", "bind9-dnsutils", "-v");
        RequiredTool.Require("dnsmasq", "dnsmasq-base", "--version");
        using var folder = new TemporaryFolder();
        var port = Net.FreePort();
        var texts = Enumerable.Range(0, 16).Select(i => new string((char)('a' + i), 250)).ToArray();
        var configuration = Path.Combine(folder.Path, "dnsmasq.conf");
        await File.WriteAllLinesAsync(
            configuration,
            [
                "no-resolv", "no-hosts", "bind-interfaces", "listen-address=127.0.0.1", $"port={port}", "edns-packet-max=5000", "user=",
                .. Enumerable.Range(0, Names).Select(i => $"host-record=n{i}.test,{Address(i)}"),
                .. texts.Select(text => $"txt-record=big.test,\"{text}\""),
            ],
            TestContext.Current.CancellationToken);
        using var server = await ToolServer.StartAsync(port, "dnsmasq", "--keep-in-foreground", "--pid-file", "--conf-file=" + configuration);
        await using var path = await DatagramPath.OpenAsync(hop);
        var mapping = await path.MapAsync(port);
        string[] dig = ["dig", "@127.0.0.1", "-p", $"{mapping.HostPort}", "+short", "+ignore", "+bufsize=5000", "+time=60"];

        // Each process asks for twenty names one after the other, at an address of its own: dig's sockets share ports (SO_REUSEPORT), and then take each
        // other's answers.
        var runs = await Task.WhenAll(Enumerable.Range(0, Names).Chunk(20).Select(
            (part, i) => ProgramRun.OfAsync([.. dig, "-b", $"127.0.1.{i + 1}", .. part.Select(name => $"n{name}.test")])));
        Assert.All(runs, run => Assert.True(run.ExitCode == 0, $"{run}"));
        Assert.Equal(Enumerable.Range(0, Names).Select(Address), runs.SelectMany(run => Lines(run.Output)));

        var big = await ProgramRun.OfAsync([.. dig, "big.test", "TXT"]);
        Assert.Equal(texts, Lines(big.Output).Select(line => line.Trim('"')).Order(StringComparer.Ordinal));
        Assert.Equal(Names + 1L, (await path.Relay.CountersAsync(mapping))["datagramsToHost"]);

        static string Address(int i) => $"10.1.{i / 250}.{(i % 250) + 1}";
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("tcp")]
    public async Task Iperf3_measures_both_ways(string hop)
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        RequiredTool.Require("iperf3", "iperf3", "--version");
        var port = Net.FreePort();
        using var server = await ToolServer.StartAsync(port, "iperf3", "--server", "--port", $"{port}");
        await using var path = await DatagramPath.OpenAsync(hop);

        // What it measures with datagrams it says over a connection to the same port.
        var hostPort = Net.FreePort();
        var mapping = await path.MapAsync(port, hostPort: hostPort);
        await path.Relay.MapAsync(port, hostPort);
        foreach (var direction in (string[])["--parallel=2", "--reverse"])
        {
            var run = await ProgramRun.OfAsync(
                ["iperf3", "--client", "127.0.0.1", "--port", $"{hostPort}", "--udp", "--bitrate", "1M", "--length", "1200", "--time", "1", "--json", direction]);
            Assert.True(run.ExitCode == 0, $"{run}");
            using var report = JsonDocument.Parse(run.Output);
            var sum = report.RootElement.GetProperty("end").GetProperty("sum");
            TestContext.Current.TestOutputHelper!.WriteLine($"{direction}: {sum}");
            Assert.InRange(sum.GetProperty("packets").GetInt32(), 1, int.MaxValue);
        }

        // At this rate a flow's buffers hold all that a second has.
        var counters = await path.Relay.CountersAsync(mapping);
        Assert.Equal((3L, 0L, 0L), (counters["accepted"], counters["dropped"], counters["failed"]));
        Assert.True(counters["datagramsToGuest"] is > 100L && counters["datagramsToHost"] is > 50L, $"{counters["datagramsToGuest"]}, {counters["datagramsToHost"]}");
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Http3_fetches_three_megabytes(string hop)
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        RequiredTool.Require("gtlsclient", "ngtcp2-client", "--help");
        RequiredTool.Require("/usr/sbin/gtlsserver", "ngtcp2-server", "--help");
        using var folder = new TemporaryFolder();
        string[] files = [.. ((string[])["key", "certificate", "sent"]).Select(name => Path.Combine(folder.Path, name))];
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var content = Net.RandomBytes(3_000_000);
        await File.WriteAllTextAsync(files[0], key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(files[1], certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(files[2], content, TestContext.Current.CancellationToken);
        var port = Net.FreePort();
        using var server = await ToolServer.StartDatagramsAsync(
            port, "/usr/sbin/gtlsserver", "--quiet", "--htdocs", folder.Path, "127.0.0.1", $"{port}", files[0], files[1]);
        await using var path = await DatagramPath.OpenAsync(hop);
        var mapping = await path.MapAsync(port);
        var received = Directory.CreateDirectory(Path.Combine(folder.Path, "received")).FullName;
        var run = await ProgramRun.OfAsync(
            ["gtlsclient", "--quiet", "--exit-on-all-streams-close", $"--download={received}", "127.0.0.1", $"{mapping.HostPort}", "https://localhost/sent"]);
        Assert.True(run.ExitCode == 0, $"{run}");
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(received, "sent"), TestContext.Current.CancellationToken));
        Assert.Equal(1L, (await path.Relay.CountersAsync(mapping))["accepted"]);
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
