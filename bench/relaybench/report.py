"""Writes what was measured: Markdown to read, JSON and CSV to work with, SVG to look at."""

import csv
import json
import os

from . import plot, tables

RESULTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "results")


def markdown(groups, results, facts):
    lines = ["# wslrelay against other TCP relays", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "Median (smallest–largest) of the rounds; a ratio is the median of the ratios within each round.", ""]
    for group, table in groups:
        if not table.metrics:
            continue
        lines += [f"## {group.title}", ""]
        short = tables.summary(table)
        if short:
            lines += [*short, ""]
        earlier = tables.before(table)
        if earlier:
            lines += [*earlier, ""]
        if short:
            lines += ["### Every relay", ""]
        lines += [*tables.details(table), "", *tables.ratios(table), ""]
    if results.failures:
        lines += ["## Not measured", ""]
        lines += [f"- {name.replace('/', ', ')}: {reason}" for name, reason in sorted(results.failures.items())]
    return "\n".join(lines).rstrip() + "\n"


def write(name, group_list, results, facts):
    os.makedirs(RESULTS, exist_ok=True)
    groups = [(group, tables.Table(group, results.samples)) for group in group_list]
    text = markdown(groups, results, facts)
    save(f"{name}.md", text)
    samples = ",\n".join(json.dumps(sample) for sample in results.samples)
    save(f"{name}.json", f'{{"facts": {json.dumps(facts)},\n"failures": {json.dumps(results.failures)},\n"samples": [\n{samples}\n]}}\n')
    with open(os.path.join(RESULTS, f"{name}.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["group", "relay", "metric", "round", "value"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(results.samples)
    for group, table in groups:
        if table.metrics:
            save(f"{name}-{group.key}.svg", plot.svg(table, group.title))
    return text


def save(name, text):
    with open(os.path.join(RESULTS, name), "w", encoding="utf-8") as file:
        file.write(text)
