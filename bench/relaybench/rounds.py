"""Runs every relay interleaved: all of them do a row, one right after the other, before anyone does the next; then the next round."""

import contextlib
import os
import sys
import time
from dataclasses import dataclass

from . import processes
from .measures import Failure, Server
from .relays import Unavailable

# What a relay may do to us: it is then left out of that row, and the report says why.
EXPECTED = (Failure, Unavailable, TimeoutError, EOFError, OSError, RuntimeError)


@dataclass(frozen=True)
class Group:
    """One table: the relays of a number of hops, on the processors they may use."""

    key: str
    title: str
    relays: list
    processors: frozenset


class Results:
    """Every sample, and what could not be measured and why."""

    def __init__(self):
        self.samples = []
        self.failures = {}

    def add(self, group, relay, number, values):
        for metric, value in values.items():
            self.samples.append({"group": group.key, "relay": relay, "metric": metric, "round": number, "value": value})

    def fail(self, group, relay, row, reason):
        self.failures[f"{group.key}/{relay}/{row}"] = reason


class Progress:
    """A line for each sample, with the time that is left, on standard error."""

    def __init__(self, total):
        self._total, self._done, self._start = total, 0, time.monotonic()

    def step(self, group, number, row, relay, text):
        self._done += 1
        elapsed = time.monotonic() - self._start
        left = elapsed / self._done * max(0, self._total - self._done)
        print(f"[{min(99, 100 * self._done // self._total):2d} %, {left / 60:4.1f} min left] "
              f"{group.key} round {number} {row.key} {relay}: {text}", file=sys.stderr)


@contextlib.contextmanager
def on_processors(processors):
    """Children start where their parent may run, and so choose their number of threads by it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Runner:
    def __init__(self, context, results, rounds, fresh_rounds, seconds):
        self._context, self._results = context, results
        self._rounds, self._fresh_rounds, self._seconds = rounds, fresh_rounds, seconds

    def run(self, plan):
        """The plan: pairs of a group and its rows."""
        progress = Progress(sum(len(group.relays) * sum(self._fresh_rounds if row.fresh else self._rounds + 1 for row in rows)
                                for group, rows in plan))
        for group, rows in plan:
            with on_processors(group.processors):
                server = Server(self._context.server_port)
                try:
                    self._load(group, [row for row in rows if not row.fresh], server, progress)
                    self._fresh(group, [row for row in rows if row.fresh], server, progress)
                finally:
                    server.stop()

    # Round 0 warms up, and does not count.
    def _load(self, group, rows, server, progress):
        if not rows:
            return
        running, broken = {}, {}
        try:
            for number in range(self._rounds + 1):
                for row in rows:
                    for kind in rotated(group.relays, number):
                        self._sample(group, number, row, kind, progress, lambda k=kind, r=row, n=number: self._under_load(
                            running, broken, k, r, server, self._seconds if n else min(0.2, self._seconds)))
        finally:
            for relay in running.values():
                relay.stop()

    def _under_load(self, running, broken, kind, row, server, seconds):
        relay = running.get(kind.name)
        if relay is None or not relay.alive():
            if kind.name in broken:
                raise Failure(broken[kind.name])
            relay = running[kind.name] = kind(self._context)
            try:
                relay.check()
                relay.start_ready(server.targets)
            except EXPECTED as error:
                relay.stop()
                broken[kind.name] = str(error)
                raise
        return row.measure(relay, seconds)

    def _fresh(self, group, rows, server, progress):
        for number in range(1, self._fresh_rounds + 1):
            for row in rows:
                for kind in rotated(group.relays, number):
                    self._sample(group, number, row, kind, progress, lambda k=kind, r=row: self._alone(k, r, server))

    def _alone(self, kind, row, server):
        relay = kind(self._context)
        relay.check()
        if not row.possible(relay):
            return {}
        try:
            return row.measure(relay, server)
        finally:
            relay.stop()

    def _sample(self, group, number, row, kind, progress, measure):
        failed = f"{group.key}/{kind.name}/{row.key}"
        if failed in self._results.failures:
            progress.step(group, number, row, kind.name, "left out")
            return
        try:
            values = measure()
            if number:
                self._results.add(group, kind.name, number, values)
            text = ", ".join(f"{value:.4g}" for value in values.values()) or "not for this relay"
        except EXPECTED as error:
            if number:
                self._results.fail(group, kind.name, row.key, str(error) or type(error).__name__)
            text = f"FAILED: {error}"
        progress.step(group, number, row, kind.name, text)


def rotated(items, number):
    """Who comes first changes with the round, so nobody always runs after the same one."""
    first = number % len(items)
    return items[first:] + items[:first]


def stop_everything():
    processes.kill_all()
