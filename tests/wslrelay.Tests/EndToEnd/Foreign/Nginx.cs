using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Foreign;

/// <summary>nginx, which serves the file "file" of a folder, and curl, which downloads it.</summary>
internal static class Nginx
{
    private const string Program = "/usr/sbin/nginx";

    public static void Require()
    {
        RequiredTool.Require(Program, "nginx-light", "-v");
        RequiredTool.Require("curl", "curl", "--version");
        RequiredTool.Require("sha256sum", "coreutils", "--version");
    }

    public static string[] Command(TemporaryFolder folder, int port) => [Program, "-p", folder.Path, "-c", folder.Write("nginx.conf", Configuration(folder.Path, port))];

    public static Task<ToolServer> StartAsync(TemporaryFolder folder, int port) => ToolServer.StartAsync(port, Command(folder, port));

    /// <summary>The checksum of what came.</summary>
    public static async Task<string> DownloadAsync(Mapping mapping)
    {
        var run = await ProgramRun.OfAsync(
            ["/bin/sh", "-c", $"curl --silent --show-error --fail --noproxy '*' http://{mapping.EndPoint}/file | sha256sum"]);
        Assert.True(run is { ExitCode: 0, Error: "" }, $"{run}");
        return run.Output[..64];
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
