"""The command `bench/run`: builds, enters the private namespace, measures, reports."""

import argparse
import os
import signal
import sys
import tempfile

from . import build, host, measures, peers, processes, relays, report
from .packages import Peers
from .rounds import Group, Results, Runner, stop_everything

ONE_HOP = [relays.Direct, relays.Wslrelay, relays.WslrelayBefore, relays.WslrelaySingleCalls, relays.WslrelayReadyToRun, peers.Haproxy, peers.HaproxySplice, peers.Nginx, peers.DockerProxy,
           peers.Rinetd, peers.Redir, peers.Simpleproxy, peers.Socat]
FREE = [*ONE_HOP, relays.WslrelayLoops]
TWO_HOPS = [relays.Direct, relays.WslrelayTwoHops, relays.WslrelayTwoHopsTcp, relays.WslrelayOneHop, relays.WslrelayBeforeTwoHops, relays.WslrelayBeforeTwoHopsTcp,
            peers.HaproxyTwoHops, peers.HaproxySpliceTwoHops, peers.HaproxySpliceTwoHopsUnix]
DATAGRAMS = [relays.DirectUdp, relays.WslrelayUdp, relays.WslrelayUdpBefore, peers.NginxUdp, peers.DockerProxyUdp, peers.SocatUdp]
QUICK = [relays.Direct, relays.Wslrelay, peers.Haproxy, peers.HaproxySplice, peers.Nginx, peers.DockerProxy,
         relays.WslrelayTwoHops, peers.HaproxySpliceTwoHops]
HOST_PORTS = 22000
DIRECTORY = "RELAYBENCH_DIRECTORY"
GROUPS = ["pinned", "datagrams", "two-hops", "free"]


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures wslrelay against other TCP relays, on loopback.")
    parser.add_argument("--quick", action="store_true", help="fewer relays and rows, short rounds: under two minutes")
    parser.add_argument("--rows", default="", help="only these, by comma; a prefix is enough: " + ", ".join(row.key for row in measures.ROWS))
    parser.add_argument("--relays", default="", help="only these, by semicolon, or comma if no name has one; a prefix is enough: "
                        + "; ".join(kind.name for kind in [*FREE, *TWO_HOPS[1:]]))
    parser.add_argument("--groups", default="", help="only these, by comma: " + ", ".join(GROUPS))
    parser.add_argument("--rounds", type=int, help="rounds that count (5; quick: 3)")
    parser.add_argument("--seconds", type=float, help="length of one load (0.7; quick: 0.25)")
    parser.add_argument("--processor", type=int, default=max(os.sched_getaffinity(0)), help="the one for the pinned rows (the last)")
    parser.add_argument("--nice", type=int, default=0, help="priority of everything that is measured: -15 holds its own on a busy machine")
    parser.add_argument("--name", help="of the files under bench/results (latest; quick)")
    parser.add_argument("--wslrelay", metavar="PATH", help="measure this program instead of publishing the sources")
    parser.add_argument("--before", metavar="PATH", help="measure this earlier program too, in the same rounds")
    parser.add_argument("--syscalls", action="store_true", help="count system calls for each operation instead of measuring time")
    parser.add_argument("--host", action="store_true", help="use the host's loopback even where a private namespace could be had")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.25 if options.quick else 0.7)
    options.name = options.name or ("quick" if options.quick else "latest")
    return options


def wanted(text, items, key, otherwise):
    prefixes = [part.strip() for part in text.split(";" if ";" in text else ",") if part.strip()]
    if not prefixes:
        return otherwise
    # An exact name means this one only: "haproxy" is not "haproxy (splice)".
    names = [key(item) for item in items]
    return [item for item in items if any(key(item) == part or (part not in names and key(item).startswith(part)) for part in prefixes)]


def plan(options):
    rows = wanted(options.rows, measures.ROWS, lambda row: row.key,
                  [row for row in measures.ROWS if not options.quick or row.key in measures.QUICK_ROWS])
    every = [kind for kind in [*FREE, *TWO_HOPS[1:]] if options.before or getattr(kind, "binary", "") != "before"]
    kinds = wanted(options.relays, every, lambda kind: kind.name, QUICK if options.quick else every)
    keys = wanted(options.groups, GROUPS, str, ["pinned", "two-hops"] if options.quick else GROUPS)
    one = [kind for kind in ONE_HOP if kind in kinds]
    several = [kind for kind in FREE if kind in kinds]
    datagrams = [kind for kind in DATAGRAMS if any(kind.name == chosen.name for chosen in kinds)]
    two = [kind for kind in TWO_HOPS if kind in kinds]
    udp = [row for row in rows if row.protocol == "udp"]
    rows = [row for row in rows if row.protocol == "tcp"]
    load = [row for row in rows if not row.fresh]
    idle = [row for row in rows if isinstance(row, measures.Idle)]
    pinned, free = frozenset({options.processor}), frozenset(os.sched_getaffinity(0))
    tables = {
        "pinned": (Group("pinned", "One hop, everything on one processor", one, pinned), rows),
        "datagrams": (Group("datagrams", "Datagrams, everything on one processor", datagrams, pinned), udp),
        "two-hops": (Group("two-hops", "Two hops, everything on one processor", two, pinned), load + ([] if options.quick else idle)),
        "free": (Group("free", f"One hop, free to use {len(free)} processors", several, free), load),
    }
    return [tables[key] for key in keys if tables[key][1] and any(kind is not relays.Direct for kind in tables[key][0].relays)]


def main(run):
    """Outside: everything that needs the network. Inside of the namespace, which is this command once more: the measurement."""
    options = arguments()
    chosen = plan(options)
    if host.is_guarded():
        return inside(options, chosen)
    build.load_generator()
    Peers(build.PEERS).fetch_missing()
    for which in sorted({kind.binary for group, _ in chosen for kind in group.relays if issubclass(kind, relays.Wslrelay)}):
        if not options.wslrelay:
            build.publish(which)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="relaybench-") as directory:
        os.environ[DIRECTORY] = directory
        exit_code = host.run_in_namespace([run, *sys.argv[1:]], network=not options.host)
        return inside(options, chosen) if exit_code is None else exit_code


def inside(options, chosen):
    host.prepare(options.nice)
    processes.adopt_orphans()
    programs = {"default": options.wslrelay or build.published("default"), "r2r": build.published("r2r"), "before": options.before}
    host_ports = relays.HostPorts(host.free_base_port(HOST_PORTS), HOST_PORTS)
    try:
        measure(options, chosen, relays.Context(Peers(build.PEERS), programs, host_ports, os.environ[DIRECTORY]))
    finally:
        stop_everything()
    return 0


def measure(options, chosen, context):
    if options.syscalls:
        from . import syscalls
        syscalls.run(chosen, context, options.name)
        return
    facts = {**host.describe(), "rounds": options.rounds, "seconds of each load": options.seconds, **context.peers.versions()}
    results = Results()
    try:
        Runner(context, results, options.rounds, min(options.rounds, 5), options.seconds).run(chosen)
    except KeyboardInterrupt:
        print("Stopped: this is what was measured.", file=sys.stderr)
        facts["incomplete"] = "stopped before the end; what came last has fewer rounds"
    facts["load average after"] = host.load_average()
    print(report.write(options.name, [group for group, _ in chosen], results, facts))
