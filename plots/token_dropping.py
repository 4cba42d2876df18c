#!/usr/bin/env python3
"""Plot dropped choices against the number of experts, a line for each group size.

Reads the results.json of `switchyard run experiments/token_dropping.yaml` and writes one figure.

Usage: python3 plots/token_dropping.py out/token_dropping/results.json --out out/token_dropping.png
"""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

import script

EXPERTS = "input.model.experts"
GROUP = "results.routing.encoder.group_tokens"
FACTOR = "results.routing.encoder.effective_capacity_factor"
DROPPED = "results.routing.encoder.dropped_fraction"
WANTED = "input.routing.capacity_factor"
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # Okabe-Ito
MARKERS = ("o", "s", "^", "D", "v", "P")


def title(cases: list[dict]) -> str:
    """Return the finding: where most is dropped, and where the floor of slots hides it."""
    worst = max(cases, key=lambda case: case[DROPPED]["p50"])
    floored = [case for case in cases if case[FACTOR] > 2 * case[WANTED]]
    text = (f"At capacity factor {worst[WANTED]:g} most is dropped with {worst[EXPERTS]} experts in groups "
            f"of {worst[GROUP]} tokens: {worst[DROPPED]['p50']:.1%}")
    if floored:
        text += (f";\nthe floor of slots hides drops in {len(floored)} of {len(cases)} cases, "
                 f"by up to {max(case[FACTOR] for case in floored):.3g} slots a token")
    return text


def draw(cases: list[dict]) -> plt.Figure:
    """Draw drops on the left, slots per token on the right."""
    figure, (drops, slots) = plt.subplots(1, 2, figsize=(10, 4.2))
    for order, group in enumerate(sorted({case[GROUP] for case in cases})):
        line = sorted((case for case in cases if case[GROUP] == group), key=lambda case: case[EXPERTS])
        experts = [case[EXPERTS] for case in line]
        style = {"color": COLOURS[order % len(COLOURS)], "marker": MARKERS[order % len(MARKERS)]}
        drops.plot(experts, [100 * case[DROPPED]["p50"] for case in line],
                   label=f"groups of {group} tokens", **style)
        drops.fill_between(experts, [100 * case[DROPPED]["p5"] for case in line],
                           [100 * case[DROPPED]["p95"] for case in line], color=style["color"],
                           alpha=0.2, linewidth=0)
        slots.plot(experts, [case[FACTOR] for case in line], **style)
    slots.axhline(cases[0][WANTED], color="#555555", linestyle=":", marker="",
                  label="capacity factor asked for")
    drops.set_ylabel("dropped choices (%), 5th to 95th percentile")
    drops.set_ylim(0, 1.35 * max(100 * case[DROPPED]["p95"] for case in cases))  # room for the legend
    drops.legend(fontsize=8, loc="upper right")
    slots.set_ylabel("slots per token")
    slots.set_yscale("log", base=2)
    slots.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    slots.legend(fontsize=8)
    for axes in (drops, slots):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("experts")
        axes.set_xticks(sorted({case[EXPERTS] for case in cases}))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    figure.suptitle(title(cases), fontsize=10)
    figure.tight_layout()
    return figure


def read(path: Path) -> list[dict]:
    """Return the cases of a results file."""
    return script.read_cases(path, (EXPERTS, GROUP, FACTOR, DROPPED, WANTED))


if __name__ == "__main__":
    script.run(__doc__, "results.json of `switchyard run`", lambda paths: draw(read(paths[0])))
