#!/usr/bin/env python3
"""Plot the routing of one case: load by expert, drops by capacity and by experts, reuse of experts.

Reads the routing.csv of `switchyard show routing FILE --out DIR` and writes one figure, of the first case in it
(`--case NAME` of the command leaves one).

Usage: python3 plots/routing.py out/routing/routing.csv --out out/routing/routing.png
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

import script

COLUMNS = ("case", "stack", "what", "at", "p5", "p50", "p95", "expected")
NUMBERS = ("at", "p5", "p50", "p95", "expected")
STACKS = {"encoder": ("#0072B2", "o"), "decoder": ("#E69F00", "s")}  # Okabe-Ito colours


def curve(rows: list[dict], what: str) -> list[dict]:
    """Return the points of a curve in order."""
    return sorted((row for row in rows if row["what"] == what), key=lambda row: row["at"] or 0)


def draw_band(axes: plt.Axes, points: list[dict], factor: float, colour: str, marker: str,
              label: str) -> None:
    """Draw median and range; the closed form, where there is one, as crosses."""
    at = [point["at"] for point in points]
    axes.plot(at, [factor * point["p50"] for point in points], color=colour, marker=marker, label=label)
    axes.fill_between(at, [factor * point["p5"] for point in points],
                      [factor * point["p95"] for point in points], color=colour, alpha=0.2, linewidth=0)
    known = [point for point in points if point["expected"] is not None]
    if known:
        axes.plot([point["at"] for point in known], [factor * point["expected"] for point in known],
                  linestyle="", marker="x", markersize=7, color="black", zorder=5,
                  label="closed form" if "closed form" not in axes.get_legend_handles_labels()[1] else None)


def title(rows: list[dict]) -> str:
    """Return the finding: what is dropped, and how uneven experts are."""
    parts = []
    for stack in STACKS:
        value = {row["what"]: row["p50"] for row in rows if row["stack"] == stack and row["at"] is None}
        if value:
            parts.append(f"{stack}: {value['dropped_fraction']:.1%} dropped, busiest expert "
                         f"{value['expert_imbalance']:.2f} times the mean")
    return rows[0]["case"] + "\n" + "; ".join(parts)


def draw(rows: list[dict]) -> plt.Figure:
    """Draw the four curves of each stack."""
    figure, ((loads, drops), (experts, reuse)) = plt.subplots(2, 2, figsize=(10, 7.6))
    for stack, (colour, marker) in STACKS.items():
        own = [row for row in rows if row["stack"] == stack]
        if not own:
            continue
        load = curve(own, "load_over_mean")
        draw_band(loads, [{**point, "at": point["at"] + 1} for point in load], 1, colour, "", stack)
        draw_band(drops, curve(own, "dropped_fraction_at_capacity_factor"), 100, colour, marker, stack)
        draw_band(experts, curve(own, "dropped_fraction_at_expert_count"), 100, colour, marker, stack)
        total, points = 0.0, curve(own, "reuse_distance_fraction")[:-1]  # the last holds all beyond
        within = []
        for point in points:
            total += point["p50"]
            within.append(100 * total)
        reuse.plot([point["at"] for point in points], within, color=colour, marker="", label=stack)
    loads.axhline(1, color="#555555", linestyle=":", marker="")
    loads.set_xlabel("expert, busiest first")
    loads.set_ylabel("load over the mean")
    loads.set_ylim(bottom=0)
    drops.set_xlabel("capacity factor")
    drops.set_ylabel("dropped choices (%)")
    experts.set_xlabel("experts")
    experts.set_ylabel("dropped choices (%)")
    experts.set_xscale("log", base=2)
    experts.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    reuse.set_xlabel("tokens until a layer uses the same expert again")
    reuse.set_ylabel("choices (%), within so many tokens")
    reuse.set_ylim(0, 100)
    for axes in (loads, drops, experts, reuse):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
        else:
            axes.text(0.5, 0.5, "nothing is dropped", transform=axes.transAxes, ha="center")
    figure.suptitle(title(rows))
    figure.tight_layout()
    return figure


def read(path: Path) -> list[dict]:
    """Return the rows of the first case of the file."""
    rows = script.read_rows(path, COLUMNS, NUMBERS, may_be_empty=("at", "expected"))
    first = [row for row in rows if row["case"] == rows[0]["case"]]
    if not any(row["what"] == "load_over_mean" for row in first):
        sys.exit(f"{path}: no loads in it")
    return first


if __name__ == "__main__":
    script.run(__doc__, "routing.csv of `switchyard show routing`", lambda paths: draw(read(paths[0])))
