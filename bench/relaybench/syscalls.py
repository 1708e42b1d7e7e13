"""Counts the system calls of every relay for each operation, with strace. It slows them down, so nothing is timed here."""

import os
import signal
import subprocess
import sys
import time

from . import processes, report, tables
from .measures import Failure, Server, run_load
from .rounds import on_processors

SECONDS = 1.5
MIB = 1 << 20


def run(plan, context, name):
    lines = ["# System calls for each operation", "",
             "Counted by `strace -c -f`, which slows the relay down: a bulk read finds more waiting than it would otherwise. Shown with their",
             "number, from the most frequent on: those of at least 0.05 for each operation.", ""]
    for group, rows in plan:
        lines += [f"## {group.title}", ""]
        with on_processors(group.processors):
            server = Server(context.server_port)
            try:
                for row in rows:
                    if not row.fresh:
                        lines += _row(group, row, context, server)
            finally:
                server.stop()
    text = "\n".join(lines) + "\n"
    report.save(f"{name}-syscalls.md", text)
    print(text)


def _row(group, row, context, server):
    unit = {"bulk": "MiB", "pingpong": "round trip", "connections": "connection", "datagrams": "datagram there and back"}[row.command]
    lines = [f"### {row.title}, for each {unit}", "", tables.row(["", "all", "which"]), tables.row(["---", "---:", "---"])]
    for kind in group.relays:
        relay = kind(context)
        if not relay.counts_cpu:
            continue
        try:
            relay.check()
            relay.start_ready(server.targets)
            calls, operations = _trace(relay, row)
            operations /= MIB if row.command == "bulk" else 1
            each = sorted(((count / operations, call) for call, count in calls.items()), reverse=True)
            which = ", ".join(f"{call} {count:.2f}" for count, call in each if count >= 0.05)
            lines.append(tables.row([kind.name, f"{sum(calls.values()) / operations:.2f}", which]))
            print(f"{group.key} {row.key} {kind.name}: {lines[-1]}", file=sys.stderr)
        except Exception as error:  # noqa: BLE001: one relay that fails must not cost the others their counts
            lines.append(tables.row([kind.name, "–", str(error)]))
        finally:
            relay.stop()
    return [*lines, ""]


def _trace(relay, row):
    # What is done once, on the first connections, is not what an operation costs.
    run_load(row.command, relay.ports[row.target], row.connections, 0.1, extra=getattr(row, "extra", ()))
    output = os.path.join(relay.context.directory, "strace.txt")
    attach = [word for pid in relay.pids() for word in ("-p", str(pid))]
    tracer = processes.start(["strace", "-c", "-f", "-o", output, *attach], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_until_attached(tracer, len(attach) // 2)
        operations = run_load(row.command, relay.ports[row.target], row.connections, SECONDS, extra=getattr(row, "extra", ()))["operations"]
        time.sleep(0.2)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
    finally:
        processes.stop(tracer)
    return parse(output), operations


# strace says so on standard error for each process.
def _wait_until_attached(tracer, count):
    for _ in range(count):
        if b"attached" not in tracer.stderr.readline():
            raise Failure("strace could not attach")


def parse(path):
    """The calls and how often, from strace's table: % time, seconds, usecs/call, calls, [errors,] syscall."""
    calls = {}
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                calls[fields[-1]] = calls.get(fields[-1], 0) + int(fields[3])
    return calls
