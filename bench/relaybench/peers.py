"""The relays of others, each set up as one who knows it well would do it for this task."""

import os
import resource

from .relays import Relay, Unavailable


def connection_limit(most):
    """Two descriptors for each connection, and some to spare."""
    return min(most, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1000) // 2)


class Packaged(Relay):
    package = ""

    def check(self):
        if not self.context.peers.path(self.package):
            raise Unavailable(f"no package {self.package}")

    def program(self):
        return self.context.peers.path(self.package)


class Haproxy(Packaged):
    """Plain: what most people run. Threads as haproxy chooses them, one for each processor it may use."""

    name = "haproxy"
    package = "haproxy"
    many = True
    globals = ""
    options = ""

    def start(self, targets):
        self.ports = self.take_ports(len(targets))
        self._run([(f"127.0.0.1:{port}", f"127.0.0.1:{target}") for port, target in zip(self.ports, targets)])

    def _run(self, pairs):
        connections = connection_limit(9000) if len(pairs) < 10 else 1000
        # A section for each port: in general each port has a target of its own.
        sections = [f"listen l{number}\n  bind {listen}\n  server s {target}\n" for number, (listen, target) in enumerate(pairs)]
        path = self.write("haproxy.cfg", f"global\n  maxconn {connections}\n{self.globals}"
                          f"defaults\n  mode tcp\n  maxconn {connections}\n  backlog 4096\n  timeout connect 10s\n  timeout client 1h\n"
                          f"  timeout server 1h\n{self.options}" + "".join(sections))
        self.launch([self.program(), "-db", "-q", "-f", path])


class HaproxySplice(Haproxy):
    """Made to splice: `option splice-auto` never does where data comes faster than it is read."""

    name = "haproxy (splice)"
    # As many pipes as connections would take more descriptors than most users may have.
    globals = "  tune.pipesize 1048576\n  maxpipes 400\n"
    options = "  option splice-request\n  option splice-response\n"


class HaproxyTwoHops(Haproxy):
    name = "haproxy + haproxy, tcp"
    hops = 2
    many = False

    def start(self, targets):
        self.ports = self.take_ports(len(targets))
        between = self._between(len(targets))
        self._run([(middle, f"127.0.0.1:{target}") for middle, target in zip(between, targets)])
        self._run([(f"127.0.0.1:{port}", middle) for port, middle in zip(self.ports, between)])

    def _between(self, count):
        return [f"127.0.0.1:{port}" for port in self.take_ports(count)]

    def write(self, name, text):
        return super().write(f"{len(self._processes)}-{name}", text)


class HaproxySpliceTwoHops(HaproxyTwoHops):
    name = "haproxy + haproxy, tcp (splice)"
    globals = HaproxySplice.globals
    options = HaproxySplice.options


class HaproxySpliceTwoHopsUnix(HaproxySpliceTwoHops):
    name = "haproxy + haproxy, unix (splice)"

    def _between(self, count):
        return [f"unix@{self.context.directory}/haproxy-{id(self)}-{number}.socket" for number in range(count)]


class Nginx(Packaged):
    """One worker for each processor: its `auto` counts the machine's, not those it may use."""

    name = "nginx"
    package = "nginx-light"
    many = True
    listen = "backlog=4096"

    def check(self):
        super().check()
        if not self.context.peers.path("libnginx-mod-stream"):
            raise Unavailable("no package libnginx-mod-stream")

    def start(self, targets):
        self.ports = self.take_ports(len(targets))
        servers = [f"  server {{ listen 127.0.0.1:{port} {self.listen}; proxy_pass 127.0.0.1:{target}; }}\n"
                   for port, target in zip(self.ports, targets)]
        user = "user root;\n" if os.geteuid() == 0 else ""
        path = self.write("nginx.conf", f"{user}daemon off;\nworker_processes {len(os.sched_getaffinity(0))};\n"
                          f"load_module {self.context.peers.path('libnginx-mod-stream')};\nerror_log /dev/null crit;\n"
                          f"pid {self.context.directory}/nginx-{id(self)}.pid;\n"
                          f"events {{ worker_connections {connection_limit(9500) * 2}; }}\n"
                          f"stream {{\n  proxy_half_close on;\n  proxy_timeout 1h;\n{''.join(servers)}}}\n")
        self.launch([self.program(), "-e", "stderr", "-p", self.context.directory, "-c", path])


class NginxUdp(Nginx):
    protocol = "udp"
    listen = "udp"


class Rinetd(Packaged):
    name = "rinetd"
    package = "rinetd"

    def start(self, targets):
        self.ports = self.take_ports(len(targets))
        lines = [f"127.0.0.1 {port} 127.0.0.1 {target}\n" for port, target in zip(self.ports, targets)]
        self.launch([self.program(), "-f", "-c", self.write("rinetd.conf", "".join(lines))])


class ProcessPerPort(Packaged):
    """A relay whose process serves one port."""

    def start(self, targets):
        self.ports = self.take_ports(len(targets))
        for port, target in zip(self.ports, targets):
            self.launch(self.command(port, target))

    def command(self, port, target):
        raise NotImplementedError


class DockerProxy(ProcessPerPort):
    """Without Docker. It reports to its parent on descriptor 3, which must be there."""

    name = "docker-proxy"
    package = "docker.io"

    def command(self, port, target):
        return ["/bin/sh", "-c", 'exec "$@" 3>/dev/null', "sh", self.program(), "-proto", self.protocol, "-host-ip", "127.0.0.1",
                "-host-port", str(port), "-container-ip", "127.0.0.1", "-container-port", str(target)]


class DockerProxyUdp(DockerProxy):
    protocol = "udp"


class Redir(ProcessPerPort):
    """Nobody waits for its processes, one for each connection, so what they took is lost with them."""

    name = "redir"
    package = "redir"
    forks = True
    counts_cpu = False

    def command(self, port, target):
        return [self.program(), "-n", f"127.0.0.1:{port}", f"127.0.0.1:{target}"]


class Simpleproxy(ProcessPerPort):
    name = "simpleproxy"
    package = "simpleproxy"
    forks = True

    def command(self, port, target):
        return [self.program(), "-L", f"127.0.0.1:{port}", "-R", f"127.0.0.1:{target}"]


class Socat(ProcessPerPort):
    """Nodelay on both sides, and a buffer larger than the default of 8 KiB."""

    name = "socat"
    package = "socat"
    forks = True

    def command(self, port, target):
        return [self.program(), "-b", "131072", f"TCP4-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=4096,nodelay",
                f"TCP4:127.0.0.1:{target},nodelay"]


class SocatUdp(Socat):
    """A process for each flow."""

    protocol = "udp"

    def command(self, port, target):
        return [self.program(), f"UDP4-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork", f"UDP4:127.0.0.1:{target}"]
