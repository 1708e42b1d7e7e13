"""What wslrelay is meant to reach, as ratios to its peers on one processor."""

from dataclasses import dataclass

BEST = None
SPLICE = "haproxy (splice)"
DOCKER = "docker-proxy"


@dataclass(frozen=True)
class Goal:
    metric: str
    peer: str | None
    bound: float

    @property
    def text(self):
        from .measures import METRICS
        return f"{'≥' if METRICS[self.metric].higher else '≤'} {self.bound:g} of {self.peer or 'best'}"

    def applies(self, group):
        return group.key == "pinned"

    def judge(self, metric, table, relay):
        cells = table.cells[metric.key]
        peer = self.peer or table.best_peer(metric)
        if peer not in cells or relay not in cells:
            return "?"
        value = cells[relay].ratio(cells[peer])
        if value is None:
            return "?"
        reached = value >= self.bound if metric.higher else value <= self.bound
        return f"yes, {value:.2f}" if reached else f"**no, {value:.2f}**"


@dataclass(frozen=True)
class Beside(Goal):
    """A small request beside bulk, against the best of the peers that move at least half of our bulk meanwhile: one that hardly moves any is no measure."""

    group: str = "free"

    @property
    def text(self):
        return f"≤ {self.bound:g} of the best with half of our bulk"

    def applies(self, group):
        return group.key == self.group

    def judge(self, metric, table, relay):
        cells, rates = table.cells[metric.key], table.cells.get(f"{self.metric.partition('/')[0]}/rate", {})
        if relay not in cells or relay not in rates:
            return "?"
        peers = [(cells[peer].median, peer) for peer in table.peers(metric) if peer in rates and rates[peer].median >= rates[relay].median / 2]
        if not peers:
            return "yes, no peer moves half of our bulk"
        value = cells[relay].ratio(cells[min(peers)[1]])
        return f"yes, {value:.2f} of {min(peers)[1]}" if value <= self.bound else f"**no, {value:.2f} of {min(peers)[1]}**"


class Everywhere(Goal):
    """For every table of one hop."""

    def applies(self, group):
        return group.key != "two-hops"


class OfDatagrams(Goal):
    def applies(self, group):
        return group.key == "datagrams"


class Ahead(Goal):
    """Two hops: ahead of the best pair in every row."""

    @property
    def text(self):
        return "ahead"

    def applies(self, group):
        return group.key == "two-hops"


BULK = ["bulk-1", "bulk-4", "bulk-1-drop", "bulk-4-drop"]
CONNECT = ["connect-1", "connect-50"]
IDLE = ["idle-1000", "idle-5000"]
WINDOWS = ["udp-1-window", "udp-1-window-1200", "udp-100"]
MIXED = ["mixed-1", "mixed-8"]

GOALS = [
    *(Goal(f"{row}/rate", peer, bound) for row in BULK for peer, bound in ((SPLICE, 1.05), (DOCKER, 1.5))),
    *(Goal(f"{row}/cpu", peer, bound) for row in BULK for peer, bound in ((SPLICE, 0.95), (DOCKER, 0.45))),
    Goal("pingpong-1/p50", BEST, 0.95),
    Goal("pingpong-1/p99", BEST, 0.95),
    Goal("pingpong-100/rate", BEST, 1.10),
    *(Goal(f"{row}/rate", BEST, 1.10) for row in CONNECT),
    *(Goal(f"{row}/cpu", BEST, 0.85) for row in CONNECT),
    *(Goal(f"{row}/memory", BEST, 0.2) for row in IDLE),
    Goal("ports-10000/time", "nginx", 1.0),
    Goal("ports-10000/memory", "nginx", 1.0),
    *(Beside(f"{row}/{metric}", BEST, 1.0) for row in MIXED for metric in ("p50", "p99")),
    *(Beside(f"mixed-8/{metric}", BEST, 0.5, "pinned") for metric in ("p50", "p99")),
    *(Everywhere(f"{row}/rate", SPLICE, 1.0) for row in MIXED),
    OfDatagrams("udp-1/p50", BEST, 0.95),
    *(OfDatagrams(f"{row}/rate", BEST, 1.5) for row in (*WINDOWS, "udp-1000")),
    OfDatagrams("udp-1000/lost", BEST, 1.0),
    OfDatagrams("udp-bulk/rate", BEST, 2.0),
    *(OfDatagrams(f"{row}/cpu", BEST, 0.6) for row in (*WINDOWS, "udp-1000", "udp-bulk")),
    OfDatagrams("udp-idle-1000/memory", BEST, 0.3),
    *(Ahead(f"{row}/{metric}", BEST, 1.0) for row in [*BULK, *CONNECT, "pingpong-100"] for metric in ("rate", "cpu")),
    *(Ahead(f"pingpong-1/{metric}", BEST, 1.0) for metric in ("p50", "p99", "cpu")),
    *(Ahead(f"{row}/memory", BEST, 1.0) for row in IDLE),
]
