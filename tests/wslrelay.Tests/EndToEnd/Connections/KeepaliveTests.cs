using System.Diagnostics;
using System.Globalization;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>Peers that vanish without an end or a reset: their link is removed, in a network namespace of the test, whose keepalive probes come every second.</summary>
public sealed class KeepaliveTests
{
    // A relay and a peer in two network namespaces with a veth pair between; the script prints "connected", and "ended" with what the remaining peer saw.
    private const string Script = """
        set -e
        ip link set lo up
        unshare -n sleep 600 & peer=$!
        trap 'kill $peer $pids 2>/dev/null' EXIT
        until [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
        ip link add near type veth peer name far netns $peer
        ip address add 10.77.0.1/24 dev near && ip link set near up
        nsenter -t $peer -n ip address add 10.77.0.2/24 dev far
        nsenter -t $peer -n ip link set far up
        echo 1 >/proc/sys/net/ipv4/tcp_keepalive_intvl
        echo 3 >/proc/sys/net/ipv4/tcp_keepalive_probes
        "$1" forward --keepalive 1 $3 >/dev/null & pids=$!
        python3 -c "$4" $peer "$2"
        """;

    private const string RemainingPeer = """
        import os, socket, subprocess, sys, time
        peer, who = sys.argv[1:]
        def far(code): return subprocess.Popen(['nsenter', '-t', peer, '-n', sys.executable, '-c', code])
        def connect(address):
            while True:
                try: return socket.create_connection(address)
                except ConnectionRefusedError: time.sleep(0.05)
        if who == 'client':
            server = socket.create_server(('127.0.0.1', 5001))
            other = far("import socket,time\nwhile True:\n try: s=socket.create_connection(('10.77.0.1', 5000)); break\n except OSError: time.sleep(0.05)\ns.sendall(b'x'); time.sleep(600)")
            left, _ = server.accept()
            assert left.recv(1) == b'x'
        else:
            other = far("import socket,time\ns=socket.create_server(('10.77.0.2', 5001)); c,_=s.accept(); c.sendall(b'x'); time.sleep(600)")
            while True:
                left = connect(('127.0.0.1', 5000))
                try:
                    if left.recv(1) == b'x': break
                except ConnectionResetError: time.sleep(0.05)
        subprocess.run(['nsenter', '-t', peer, '-n', 'ip', 'link', 'set', 'far', 'down'], check=True)
        left.settimeout(60)
        try: print('ended:', left.recv(1))
        except ConnectionResetError: print('reset')
        except TimeoutError: print('nothing')
        other.kill()
        """;

    [Theory]
    [InlineData("client", "--allow-remote 0.0.0.0:5000:5001")]
    [InlineData("server", "--target direct:10.77.0.2 127.0.0.1:5000:5001")]
    public async Task A_connection_whose_peer_has_vanished_is_reset(string who, string arguments)
    {
        Platform.OnLinuxOnly("Network namespaces are Linux's.");
        var clock = Stopwatch.StartNew();
        var run = await ProgramRun.OfAsync(["unshare", "--net", "bash", "-c", Script, "bash", RelayProgram.Path, who, arguments, RemainingPeer]);
        Assert.True(run.Output.Trim() == "reset", run.Output + run.Error);
        TestContext.Current.TestOutputHelper?.WriteLine(clock.Elapsed.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_connection_whose_client_has_closed_is_ended()
    {
        Platform.OnLinuxOnly("Network namespaces are Linux's.");
        var run = await ProgramRun.OfAsync(["unshare", "--net", "bash", "-c", """
            ip link set lo up
            echo 1 >/proc/sys/net/ipv4/tcp_keepalive_intvl
            echo 1 >/proc/sys/net/ipv4/tcp_fin_timeout
            "$1" forward --keepalive 1 5000:5001 >/dev/null & trap "kill $!" EXIT
            python3 -c "$2"
            """, "bash", RelayProgram.Path, """
            import socket, time
            server = socket.create_server(('127.0.0.1', 5001))
            while True:
                try: client = socket.create_connection(('127.0.0.1', 5000)); break
                except ConnectionRefusedError: time.sleep(0.05)
            left, _ = server.accept()
            client.close()
            left.settimeout(60)
            assert left.recv(1) == b''
            for i in range(600):
                if left.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0: print('reset'); break
                time.sleep(0.1)
            """]);
        Assert.True(run.Output.Trim() == "reset", run.Output + run.Error);
    }
}
