"""Medians and ratios from samples, and the Markdown tables made of them."""

import statistics

from .goals import GOALS
from .measures import METRICS


class Cell:
    """What one relay did in one metric, by round."""

    def __init__(self, by_round):
        self.by_round = by_round
        values = list(by_round.values())
        self.median, self.low, self.high = statistics.median(values), min(values), max(values)

    def ratio(self, other):
        """The median of the ratios of each round: what disturbs the machine for a while disturbs both alike."""
        ratios = [value / other.by_round[number] for number, value in self.by_round.items() if other.by_round.get(number)]
        return statistics.median(ratios) if ratios else None


class Table:
    """The cells of one group, by metric and relay."""

    def __init__(self, group, samples):
        self.group = group
        collected = {}
        for sample in samples:
            if sample["group"] == group.key:
                collected.setdefault(sample["metric"], {}).setdefault(sample["relay"], {})[sample["round"]] = sample["value"]
        self.cells = {metric: {relay: Cell(values) for relay, values in relays.items()} for metric, relays in collected.items()}
        self.metrics = [metric for key, metric in METRICS.items() if key in self.cells]
        self.relays = [kind.name for kind in group.relays if any(kind.name in row for row in self.cells.values())]

    def peers(self, metric):
        """Those that were measured in it, and are neither direct nor one of ours."""
        return [relay for relay in self.cells[metric.key] if is_peer(relay)]

    def best_peer(self, metric):
        """The peer with the best median."""
        peers = [(self.cells[metric.key][relay].median, relay) for relay in self.peers(metric)]
        return (max if metric.higher else min)(peers)[1] if peers else None


def is_peer(relay):
    return relay != "direct" and not relay.startswith("wslrelay")


def number(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def span(cell):
    return f"{number(cell.median)} ({number(cell.low)}–{number(cell.high)})"


def ratio(value):
    return "–" if value is None else f"{value:.2f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def summary(table):
    """One line for each metric: ours, the best peer, and the ratios of ours to it, to no relay at all, and to the goal."""
    ours = [relay for relay in table.relays if relay.startswith("wslrelay")]
    if not ours:
        return []
    first = ours[0]
    lines = [row(["", "unit", "direct", *ours, "best peer", "", f"{first} / best peer", f"{first} / direct", "goal", "reached"]),
             row(["---", "---", *["---:"] * (len(ours) + 1), "---", *["---:"] * 3, "---", "---"])]
    for metric in table.metrics:
        cells = table.cells[metric.key]
        best, direct, mine = table.best_peer(metric), cells.get("direct"), cells.get(first)
        goals = [goal for goal in GOALS if goal.metric == metric.key and goal.applies(table.group)]
        told = [goal.judge(metric, table, first) for goal in goals] if mine else []
        lines.append(row([
            metric.title, metric.unit, number(direct.median) if direct else "–",
            *(span(cells[relay]) if relay in cells else "–" for relay in ours),
            best or "–", span(cells[best]) if best else "–",
            ratio(mine.ratio(cells[best])) if mine and best else "–", ratio(mine.ratio(direct)) if mine and direct else "–",
            "; ".join(goal.text for goal in goals), "; ".join(told)]))
    return lines


def before(table):
    """Each of ours that has an earlier program beside it: the ratio of the two, which is 1 where nothing has changed."""
    pairs = [(relay, earlier) for relay in table.relays for earlier in (f"{relay} (before)",) if earlier in table.relays]
    if not pairs:
        return []
    lines = [row(["ratio to the program before", "better is", *(relay for relay, _ in pairs)]), row(["---", "---", *["---:"] * len(pairs)])]
    for metric in table.metrics:
        cells = table.cells[metric.key]
        told = [ratio(cells[relay].ratio(cells[earlier])) if relay in cells and earlier in cells else "–" for relay, earlier in pairs]
        lines.append(row([metric.title, "more" if metric.higher else "less", *told]))
    return lines


def details(table):
    """Every relay: the median, and the smallest and largest of all rounds."""
    lines = [row(["", "unit", *table.relays]), row(["---", "---", *["---:"] * len(table.relays)])]
    for metric in table.metrics:
        cells = table.cells[metric.key]
        lines.append(row([metric.title, metric.unit, *(span(cells[relay]) if relay in cells else "–" for relay in table.relays)]))
    return lines


def ratios(table):
    """Every relay against the best peer, and in parentheses against no relay at all."""
    lines = [row(["ratio to best peer (to direct)", *table.relays]), row(["---", *["---:"] * len(table.relays)])]
    for metric in table.metrics:
        cells, best = table.cells[metric.key], table.best_peer(metric)
        texts = []
        for relay in table.relays:
            if relay not in cells:
                texts.append("–")
                continue
            to_best = ratio(cells[relay].ratio(cells[best])) if best else "–"
            texts.append(f"{to_best} ({ratio(cells[relay].ratio(cells['direct']))})" if "direct" in cells else to_best)
        lines.append(row([metric.title, *texts]))
    return lines
