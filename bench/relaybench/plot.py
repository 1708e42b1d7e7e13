"""The plot: a panel for each metric, a bar for each relay, as SVG."""

from html import escape

from .tables import number

WIDTH, LABEL, BAR, LINE, COLUMNS = 440, 200, 130, 15, 3
OURS, PEER, DIRECT = "#c2410c", "#64748b", "#cbd5e1"
BETTER = {True: "more is better", False: "less is better"}


def svg(table, title):
    panels = [_panel(metric, table) for metric in table.metrics]
    rows = [panels[first:first + COLUMNS] for first in range(0, len(panels), COLUMNS)]
    body, top = [], 34
    for line in rows:
        for column, (content, _) in enumerate(line):
            body.append(f'<g transform="translate({column * WIDTH + 10},{top})">{content}</g>')
        top += max(height for _, height in line) + 14
    width = COLUMNS * WIDTH + 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" viewBox="0 0 {width} {top}" '
            f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
            f'<text x="10" y="20" font-size="15" font-weight="bold">{escape(title)}</text>{"".join(body)}</svg>\n')


def _panel(metric, table):
    cells = table.cells[metric.key]
    relays = sorted((relay for relay in table.relays if relay in cells), key=lambda relay: cells[relay].median, reverse=metric.higher)
    # A relay far behind must not press all the others to the edge: its bar is cut, its number is not.
    values = sorted(cells[relay].median for relay in relays)
    longest = min(max(values), values[len(values) // 2] * 3) or 1
    parts = [f'<text y="12" font-weight="bold">{escape(metric.title)}</text>'
             f'<text y="25" fill="#475569">{escape(metric.unit)}, {BETTER[metric.higher]}</text>']
    for index, relay in enumerate(relays):
        cell, y = cells[relay], 30 + index * LINE
        color = OURS if relay.startswith("wslrelay") else DIRECT if relay == "direct" else PEER
        length = min(cell.median / longest, 1) * BAR
        low, high = (LABEL + min(value / longest, 1) * BAR for value in (cell.low, cell.high))
        parts.append(f'<text x="{LABEL - 6}" y="{y + 10}" text-anchor="end">{escape(relay)}</text>'
                     f'<rect x="{LABEL}" y="{y + 1}" width="{length:.1f}" height="{LINE - 4}" fill="{color}"/>'
                     f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y + 6.5}" y2="{y + 6.5}" stroke="black"/>'
                     f'<text x="{LABEL + BAR + 6}" y="{y + 10}">{number(cell.median)}</text>')
    return "".join(parts), 30 + len(relays) * LINE
