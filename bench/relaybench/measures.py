"""The rows of the table: what each does to a relay, and what it measures."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

from . import build, processes
from .relays import wait_until_relayed

ECHO, SINK, DROP = range(3)
GIB = 1 << 30


@dataclass(frozen=True)
class Metric:
    key: str
    title: str
    unit: str
    higher: bool = False


class Failure(Exception):
    """This relay did not do this row; the text says what happened."""


class Server:
    """The server behind the relays: its ports are the targets, in the order of ECHO, SINK, DROP."""

    def __init__(self, first_port):
        self._process = processes.start([build.LOAD, "serve", "--port", str(first_port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ports = json.loads(self._process.stdout.readline())
        self.targets = [ports["echo"], ports["sink"], ports["drop"]]

    def stop(self):
        processes.stop(self._process)


def load_command(command, port, connections, seconds, limit=10_000_000, extra=()):
    return [build.LOAD, command, "--port", str(port), "--connections", str(connections), "--seconds", str(seconds), "--limit", str(limit), *extra]


def run_load(command, port, connections, seconds, limit=10_000_000, extra=()):
    argv = load_command(command, port, connections, seconds, limit, extra)
    try:
        # The generator's own alarm comes first, but not where somebody has stopped it.
        result = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=seconds + 30)
    except subprocess.TimeoutExpired as error:
        raise Failure("stopped by someone else") from error
    if result.returncode != 0:
        raise Failure((result.stderr.strip() or "stalled")[:100])
    answer = json.loads(result.stdout)
    if not answer["operations"]:
        raise Failure("nothing came through in time")
    return answer


class Load:
    """A row that puts load on a running relay for a time. `per` operations are the unit in which its processor time is told."""

    fresh = False
    protocol = "tcp"

    def __init__(self, key, title, command, target, connections, per, per_title):
        self.key, self.title, self.command, self.target, self.connections = key, title, command, target, connections
        self._per = per
        self.metrics = [*self._rates(), Metric(f"{key}/cpu", f"{title}: CPU per {per_title}", "s")]

    def _rates(self):
        if self.command == "bulk":
            return [Metric(f"{self.key}/rate", self.title, "GiB/s", True)]
        if self.command == "connections":
            return [Metric(f"{self.key}/rate", self.title, "/s", True)]
        if self.connections == 1:
            return [Metric(f"{self.key}/p50", f"{self.title}: p50", "µs"), Metric(f"{self.key}/p99", f"{self.title}: p99", "µs")]
        return [Metric(f"{self.key}/rate", f"{self.title}: round trips", "/s", True)]

    def measure(self, relay, seconds):
        before = processes.cpu_seconds(relay.pids())
        result = run_load(self.command, relay.ports[self.target], self.connections, seconds)
        time.sleep(0.01)
        cpu = processes.cpu_seconds(relay.pids()) - before
        rate = result["operations"] / result["seconds"] / (GIB if self.command == "bulk" else 1)
        known = {"rate": rate, "p50": result.get("p50_us"), "p99": result.get("p99_us"), "cpu": cpu / (result["operations"] / self._per)}
        if not relay.counts_cpu:
            del known["cpu"]
        return {metric.key: known[metric.key.rpartition("/")[2]] for metric in self.metrics if metric.key.rpartition("/")[2] in known}


class Mixed:
    """A small request, again and again, beside bulk streams through the same relay: what somebody's shell feels of a download."""

    fresh = False
    protocol = "tcp"
    HEAD_START = 0.1

    def __init__(self, streams):
        self.key, self.streams = f"mixed-{streams}", streams
        title = f"64 bytes beside {streams} bulk stream{'s' if streams > 1 else ''}"
        self.metrics = [Metric(f"{self.key}/p50", f"{title}: p50", "µs"), Metric(f"{self.key}/p99", f"{title}: p99", "µs"),
                        Metric(f"{self.key}/rate", f"{title}: bulk meanwhile", "GiB/s", True)]

    def measure(self, relay, seconds):
        argv = load_command("bulk", relay.ports[SINK], self.streams, seconds + 2 * self.HEAD_START)
        bulk = processes.start(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            time.sleep(self.HEAD_START)
            small = run_load("pingpong", relay.ports[ECHO], 1, seconds)
            output, errors = bulk.communicate(timeout=seconds + 30)
        except subprocess.TimeoutExpired as error:
            raise Failure("the bulk stalled") from error
        finally:
            processes.stop(bulk)
        if bulk.returncode != 0:
            raise Failure(errors.decode().strip()[:100] or "the bulk stalled")
        moved = json.loads(output)
        return {f"{self.key}/p50": small["p50_us"], f"{self.key}/p99": small["p99_us"],
                f"{self.key}/rate": moved["operations"] / moved["seconds"] / GIB}


class Datagrams:
    """Datagrams there and back: flows that each have some under way. Processor time is that of 100,000."""

    fresh = False
    protocol = "udp"
    command, target = "datagrams", ECHO

    def __init__(self, key, title, flows, window, size):
        self.key, self.title, self.connections, self.extra = key, title, flows, ("--window", str(window), "--size", str(size))
        cpu = Metric(f"{key}/cpu", f"{title}: CPU per 100,000", "s")
        self.metrics = [Metric(f"{key}/p50", f"{title}: p50", "µs"), Metric(f"{key}/p99", f"{title}: p99", "µs"), cpu] if flows * window == 1 else [
            Metric(f"{key}/rate", title, "/s", True), Metric(f"{key}/lost", f"{title}: lost", "%"), cpu]

    def measure(self, relay, seconds):
        before = processes.cpu_seconds(relay.pids())
        result = run_load(self.command, relay.ports[self.target], self.connections, seconds, extra=self.extra)
        time.sleep(0.01)
        cpu = processes.cpu_seconds(relay.pids()) - before
        known = {"rate": result["operations"] / result["seconds"], "lost": result["lost"] * 100, "p50": result.get("p50_us"), "p99": result.get("p99_us"),
                 "cpu": cpu / (result["operations"] / 100_000) if relay.counts_cpu else None}
        return {metric.key: known[metric.key.rpartition("/")[2]] for metric in self.metrics if known[metric.key.rpartition("/")[2]] is not None}


class DatagramBulk(Datagrams):
    """One way, as QUIC sends: many of one size in one call."""

    command, target = "datagram-bulk", SINK

    def __init__(self):
        super().__init__("udp-bulk", "datagrams of 1,200 bytes one way", 1, 2, 1200)


class Idle:
    """Memory that an idle connection costs: from none to many, on an instance of its own that has served a few before."""

    fresh = True
    protocol = "tcp"

    def __init__(self, count):
        self.key, self.count = f"idle-{count}", count
        self.metrics = [Metric(f"{self.key}/memory", f"memory per idle connection, {count:,} open", "KiB")]

    command = "idle"

    def warm_up(self, relay):
        run_load("connections", relay.ports[0], 20, 1, limit=400)

    def possible(self, relay):
        return relay.name != "direct" and not (relay.forks and self.count > 1000)

    def measure(self, relay, server):
        relay.start_ready(server.targets[:1])
        self.warm_up(relay)
        time.sleep(0.4)
        before = processes.pss_kib(relay.pids())
        client = processes.start([build.LOAD, self.command, "--port", str(relay.ports[0]), "--connections", str(self.count)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            os.set_blocking(client.stdout.fileno(), False)
            deadline = time.monotonic() + 30
            while not client.stdout.read():
                if client.poll() is not None or time.monotonic() > deadline:
                    raise Failure((client.poll() is not None and client.stderr.read().decode().strip()) or "stalled")
                time.sleep(0.02)
            time.sleep(0.4)
            return {self.metrics[0].key: max(0, processes.pss_kib(relay.pids()) - before) / self.count}
        finally:
            processes.stop(client)


class IdleFlows(Idle):
    """The same of flows of datagrams."""

    protocol = "udp"
    command = "datagram-idle"

    def __init__(self, count):
        super().__init__(count)
        self.key = f"udp-idle-{count}"
        self.metrics = [Metric(f"{self.key}/memory", f"memory per idle flow, {count:,} open", "KiB")]

    def warm_up(self, relay):
        run_load("datagrams", relay.ports[0], 20, 0.2)


class Ports:
    """Thousands of ports on one instance: from its start until the last of them relays, and the memory it then has."""

    fresh = True
    protocol = "tcp"

    def __init__(self, count):
        self.key, self.count = f"ports-{count}", count
        title = f"{count:,} ports"
        self.metrics = [Metric(f"{self.key}/time", f"{title}: start until the last one relays", "ms"),
                        Metric(f"{self.key}/map", f"{title}: to map them, once started", "ms"),
                        Metric(f"{self.key}/one", f"{title}: to map one more", "µs"),
                        Metric(f"{self.key}/memory", f"{title}: memory", "MiB")]

    def possible(self, relay):
        return relay.many

    def measure(self, relay, server):
        relay.start(server.targets[:1] * self.count)
        wait_until_relayed(relay.ports[-1], relay.alive)
        values = [(time.perf_counter() - relay.launched_at) * 1000]
        values += [None, None]
        if hasattr(relay, "map_seconds"):
            values[1] = relay.map_seconds * 1000
        time.sleep(0.2)
        values.append(processes.pss_kib(relay.pids()) / 1024)
        if hasattr(relay, "map_one"):
            values[2] = statistics.median(relay.map_one(server.targets[0]) for _ in range(21)) * 1e6
        return {metric.key: value for metric, value in zip(self.metrics, values) if value is not None}


class Spawn:
    """From the start of the process to the first byte that came back through it."""

    fresh = True
    protocol = "tcp"

    def __init__(self):
        self.key = "spawn"
        self.metrics = [Metric("spawn/time", "start of the process to the first relayed byte", "ms")]

    def possible(self, relay):
        return relay.name != "direct" and relay.hops == 1

    def measure(self, relay, server):
        relay.start(server.targets[:1])
        wait_until_relayed(relay.ports[0], relay.alive)
        return {self.metrics[0].key: (time.perf_counter() - relay.launched_at) * 1000}


ROWS = [
    Load("bulk-1", "bulk, 1 stream", "bulk", SINK, 1, GIB, "GiB"),
    Load("bulk-4", "bulk, 4 streams", "bulk", SINK, 4, GIB, "GiB"),
    Load("bulk-1-drop", "bulk, 1 stream, dropped on arrival", "bulk", DROP, 1, GIB, "GiB"),
    Load("bulk-4-drop", "bulk, 4 streams, dropped on arrival", "bulk", DROP, 4, GIB, "GiB"),
    Load("pingpong-1", "ping-pong, 1 connection", "pingpong", ECHO, 1, 100_000, "100,000 round trips"),
    Load("pingpong-100", "ping-pong, 100 connections", "pingpong", ECHO, 100, 100_000, "100,000 round trips"),
    Load("connect-1", "connections, one by one", "connections", ECHO, 1, 100_000, "100,000 connections"),
    Load("connect-50", "connections, 50 at once", "connections", ECHO, 50, 100_000, "100,000 connections"),
    Mixed(1), Mixed(8),
    Datagrams("udp-1", "datagrams, 1 flow, 1 under way", 1, 1, 64),
    Datagrams("udp-1-window", "datagrams, 1 flow, 32 under way", 1, 32, 64),
    Datagrams("udp-1-window-1200", "datagrams of 1,200 bytes, 1 flow, 32 under way", 1, 32, 1200),
    Datagrams("udp-100", "datagrams, 100 flows, 4 under way", 100, 4, 64),
    Datagrams("udp-1000", "datagrams, 1,000 flows, 1 under way", 1000, 1, 64),
    DatagramBulk(), IdleFlows(1000),
    Idle(1000), Idle(5000), Ports(100), Ports(1000), Ports(10000), Spawn(),
]
QUICK_ROWS = ["bulk-1", "bulk-4", "pingpong-1", "pingpong-100", "connect-1", "connect-50", "mixed-1", "mixed-8", "idle-1000", "ports-1000", "spawn"]
METRICS = {metric.key: metric for row in ROWS for metric in row.metrics}
