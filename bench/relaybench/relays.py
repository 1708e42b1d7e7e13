"""What every relay under test can do, and wslrelay itself: started as `wslrelay serve` with a parent that speaks the protocol."""

import collections
import io
import os
import select
import socket
import subprocess
import time

from . import messagepack, processes

READY_SECONDS = 15
LAST = 0xFFFFFFFE
LAST_ANSWER = b"\x94\x01\xce\xff\xff\xff\xfe"


class Unavailable(Exception):
    """This relay cannot be measured here; the text says why."""


class HostPorts:
    """Hands out ports to relays that are told where to listen: the one longest out of use first, since closed connections linger."""

    def __init__(self, base, count):
        self._free = collections.deque(range(base, base + count))

    def take(self, count):
        return [self._free.popleft() for _ in range(count)]

    def give_back(self, ports):
        self._free.extend(ports)


class Context:
    """What a relay needs to start: the programs, the ports, and a directory for its configuration."""

    def __init__(self, peers, wslrelay, host_ports, directory):
        self.peers = peers
        self.server_port = host_ports.take(3)[0]
        self.wslrelay = wslrelay
        self.host_ports = host_ports
        self.directory = directory


class Relay:
    """One relay, running or not. `start` maps host ports to target ports; `ports` has the host ports in the same order."""

    name = ""
    hops = 1
    forks = False           # a process for each connection
    counts_cpu = True       # its processor time can be known
    many = False            # one instance serves thousands of ports
    protocol = "tcp"
    variables = {}          # of its environment

    def __init__(self, context):
        self.context = context
        self.ports = []
        self.launched_at = 0.0
        self._processes = []
        self._taken = []

    def check(self):
        """Raises Unavailable if it cannot run here."""

    def start(self, targets):
        """Launches, and returns once every port is certain to be listening or to be so soon."""
        raise NotImplementedError

    def start_ready(self, targets):
        """Starts, and returns once the first target, which echoes, has answered through the relay, and the other ports listen."""
        self.start(targets)
        if self.protocol == "udp":
            for port in self.ports[:2]:
                retry(_datagram_relayed, port, self.alive)
            return self
        for port in self.ports[1:]:
            wait_until_listening(port, self.alive)
        wait_until_relayed(self.ports[0], self.alive)
        return self

    def stop(self):
        for process in self._processes:
            processes.stop(process)
        self._processes = []
        self.context.host_ports.give_back(self._taken)
        self._taken = []
        self.ports = []

    def pids(self):
        return processes.session_pids({process.pid for process in self._processes})

    def alive(self):
        return all(process.poll() is None for process in self._processes)

    def take_ports(self, count):
        taken = self.context.host_ports.take(count)
        self._taken += taken
        return taken

    def launch(self, argv, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        self.launched_at = time.perf_counter()
        process = processes.start(argv, env={**self.context.peers.environment(), **self.variables}, **options)
        self._processes.append(process)
        return process

    def write(self, name, text):
        path = os.path.join(self.context.directory, f"{self.name.replace(' ', '-')}-{id(self)}-{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Direct(Relay):
    """No relay: what the load generator does by itself."""

    name = "direct"
    counts_cpu = False

    def start(self, targets):
        self.ports = list(targets)


class Wslrelay(Relay):
    name = "wslrelay"
    many = True
    binary = "default"
    target = None
    options = ()

    def check(self):
        if not self.context.wslrelay.get(self.binary):
            raise Unavailable("not published")

    def program(self):
        return self.context.wslrelay[self.binary]

    def start(self, targets):
        host_ports = self.take_ports(len(targets))
        rest = map_requests(targets[1:], host_ports[1:], self.protocol)
        options = [*self.options, *(["--target", self.target] if self.target else [])]
        self._child = self.launch([self.program(), "serve", "--log-level", "error", *options],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        answers = self._exchange(map_requests(targets[:1], host_ports[:1], self.protocol))
        # The rest is timed apart from the start.
        before = time.perf_counter()
        answers += self._exchange(rest) if rest else b""
        self.map_seconds = time.perf_counter() - before
        self.ports = list(mapped_ports(answers))

    def map_one(self, target):
        port = self.take_ports(1)[0]
        request = map_requests([target], [port], self.protocol)
        before = time.perf_counter()
        answer = self._exchange(request)
        seconds = time.perf_counter() - before
        self.ports += mapped_ports(answer)
        return seconds

    # All requests go out in one stream; answers are kept as bytes and understood later, since the parent shares the processor.
    def _exchange(self, requests):
        output, into = self._child.stdout.fileno(), self._child.stdin.fileno()
        os.set_blocking(into, False)
        poll = select.poll()
        poll.register(output, select.POLLIN)
        answers = bytearray()
        while requests or not (LAST_ANSWER in answers[-4096:]):
            if requests:
                try:
                    requests = requests[os.write(into, requests):]
                    continue
                except BlockingIOError:
                    pass
            if not poll.poll(READY_SECONDS * 1000):
                raise TimeoutError("no answer to a map request")
            data = os.read(output, 1 << 20)
            if not data:
                raise EOFError("the relay has ended")
            answers += data
        return bytes(answers)


def map_requests(targets, host_ports, protocol):
    """A request for each port, the last with a number that its answer is known by."""
    last = len(targets) - 1
    return b"".join(messagepack.encode([0, LAST if number == last else number, "map", [{"protocol": protocol, "hostPort": host, "guestPort": guest}]])
                    for number, (host, guest) in enumerate(zip(host_ports, targets)))


def mapped_ports(answers):
    stream = io.BytesIO(answers)
    decoder = messagepack.Decoder(stream.read)
    while stream.tell() < len(answers):
        _, _, error, result = decoder.decode()
        if error:
            raise RuntimeError(f"map: {error['message']}")
        yield result[0]["hostPort"]


class DirectUdp(Direct):
    protocol = "udp"


class WslrelayUdp(Wslrelay):
    protocol = "udp"


class WslrelayUdpBefore(WslrelayUdp):
    name = "wslrelay (before)"
    binary = "before"


class WslrelayReadyToRun(Wslrelay):
    """As it is published where there is no C compiler."""

    name = "wslrelay (ReadyToRun)"
    binary = "r2r"


class WslrelayBefore(Wslrelay):
    """An earlier program, given by --before: a change is measured against what it changes."""

    name = "wslrelay (before)"
    binary = "before"


class WslrelaySingleCalls(Wslrelay):
    """As it runs where the system, or a sandbox, has no io_uring for it."""

    name = "wslrelay (no io_uring)"
    variables = {"WSLRELAY_CALLS": "single"}


class WslrelayLoops(Wslrelay):
    """With as many loops as there are processors."""

    name = "wslrelay (loops)"
    options = ("--loops", str(os.cpu_count()))


class WslrelayOneHop(Wslrelay):
    """The same without the agent, beside those with it: what the second hop costs."""

    name = "wslrelay, one hop"


class WslrelayTwoHops(Wslrelay):
    """The relay and the agent, by way of a Unix socket."""

    name = "wslrelay + guest, unix"
    hops = 2
    many = False

    def start(self, targets):
        self._start_guest(f"unix:{self.context.directory}/guest-{id(self)}.socket")
        super().start(targets)

    def _start_guest(self, endpoint):
        self.target = endpoint
        self.launch([self.program(), "guest", "--listen", endpoint, "--log-level", "error"])
        wait_until_listening(endpoint.partition(":")[2] if endpoint.startswith("unix:") else int(endpoint.rpartition(":")[2]), self.alive)


class WslrelayTwoHopsTcp(WslrelayTwoHops):
    name = "wslrelay + guest, tcp"

    def start(self, targets):
        self._start_guest(f"tcp:127.0.0.1:{self.take_ports(1)[0]}")
        Wslrelay.start(self, targets)


class WslrelayBeforeTwoHops(WslrelayTwoHops):
    name = "wslrelay + guest, unix (before)"
    binary = "before"


class WslrelayBeforeTwoHopsTcp(WslrelayTwoHopsTcp):
    name = "wslrelay + guest, tcp (before)"
    binary = "before"


def connect(port):
    if isinstance(port, str):
        client = socket.socket(socket.AF_UNIX)
        client.connect(port)
        return client
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def retry(attempt, port, alive):
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return attempt(port)
        except OSError as error:
            if not alive():
                raise RuntimeError("it ended at its start") from error
            if time.monotonic() > deadline:
                raise TimeoutError("it does not answer") from error
            time.sleep(0.0002)


def _listening(port):
    connect(port).close()


def _relayed(port):
    with connect(port) as client:
        client.sendall(b"r")
        if client.recv(1) != b"r":
            raise ConnectionError("no byte came back")


# Enough for the sink to say how much has come.
def _datagram_relayed(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.connect(("127.0.0.1", port))
        for _ in range(10):
            client.send(bytes(1200))
        client.recv(1200)


def wait_until_listening(port, alive):
    retry(_listening, port, alive)


def wait_until_relayed(port, alive):
    retry(_relayed, port, alive)
