#!/usr/bin/env python3
"""Plot predicted beside published examples/s, and where each case's step time goes.

Reads the results.csv of `switchyard run` and writes one figure. Reads nothing else and computes
nothing but the mean absolute error in the title, over predicted rows only.

Usage: python3 plots/table1.py out/table1/results.csv --out out/table1/table1.png
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

import script

# Operator classes in the order of the stack: column without its "_s", label, colour, hatch. The eight
# colours that colour-blind readers can tell apart (Okabe, Ito, "Color Universal Design", 2008) are
# used once plain; related classes share a colour and differ by hatch.
CLASSES = (
    ("attention", "attention", "#0072B2", ""),
    ("feed_forward", "feed-forward", "#56B4E9", ""),
    ("experts", "experts", "#009E73", ""),
    ("dispatch", "dispatch", "#E69F00", ""),
    ("router", "router", "#F0E442", ""),
    ("all_to_all", "all-to-all", "#D55E00", ""),
    ("all_reduce", "all-reduce", "#D55E00", "////"),
    ("gradient_accumulation", "gradient accumulation", "#CC79A7", ""),
    ("optimizer", "optimizer", "#CC79A7", "////"),
    ("embedding", "embedding", "#777777", ""),
    ("logits", "logits", "#777777", "////"),
    ("normalization", "normalization", "#BBBBBB", ""),
    ("idle", "idle", "#FFFFFF", "...."),
)
RATES = ("examples_per_s", "published_examples_per_s", "error_fraction")
COLUMNS = ("case", "role", *RATES, *(f"{column}_s" for column, *_ in CLASSES))


def read_cases(path: Path) -> list[dict]:
    """Return a dictionary for each case, numbers as floats (empty cells as None), in file order."""
    numbers = [column for column in COLUMNS if column not in ("case", "role")]
    cases = script.read_rows(path, COLUMNS, numbers,
                             may_be_empty=set(numbers) - {"examples_per_s"})
    for number, case in enumerate(cases, start=1):
        if case["published_examples_per_s"] is not None and case["error_fraction"] is None:
            sys.exit(f"{path}: row {number}: error_fraction: empty beside a published rate")
    return cases


def title(cases: list[dict]) -> str:
    """Return the finding: how far the predicted rows are off, or who is fastest."""
    if all(c["published_examples_per_s"] is None for c in cases):
        fastest = max(cases, key=lambda c: c["examples_per_s"])
        return f"{fastest['case']} trains fastest: {fastest['examples_per_s']:.4g} examples/s"
    errors = [abs(c["error_fraction"]) for c in cases
              if c["role"] == "predicted"]
    if not errors:
        return "No row was predicted: every published rate was used to fit"
    mean = sum(errors) / len(errors)
    rows = "1 predicted row" if len(errors) == 1 else f"{len(errors)} predicted rows"
    return f"{rows}: {mean:.1%} off on average, {max(errors):.1%} at most"


def draw_rates(axes: plt.Axes, cases: list[dict]) -> None:
    """Draw our rates as dots and the published ones as ticks over them; fit rows are hollow."""
    rightmost = max(max(c["examples_per_s"], c["published_examples_per_s"] or 0.0) for c in cases)
    for y, case in enumerate(cases):
        ours, published = case["examples_per_s"], case["published_examples_per_s"]
        is_fit = case["role"] == "fit"
        if published is not None:
            axes.plot([ours, published], [y, y], color="#999999", linewidth=1.5, marker="", zorder=1)
            axes.plot(published, y, marker="|", color="black", markersize=14, markeredgewidth=1.8,
                      zorder=4)
            label = f"{case['error_fraction']:+.1%}" + (" (fit)" if is_fit else "")
            axes.annotate(label, (max(ours, published), y), xytext=(9, 0),
                          textcoords="offset points", va="center", fontsize=8,
                          color="#777777" if is_fit else "black")
        axes.plot(ours, y, marker="o", markersize=7, color="#D55E00", zorder=3,
                  markerfacecolor="white" if is_fit else "#D55E00", markeredgewidth=1.5)
    axes.set_xlim(0, rightmost * 1.24)  # room for the last label
    axes.set_xlabel("training rate (examples/s)")
    axes.set_yticks(range(len(cases)), [case["case"] for case in cases])
    axes.set_ylim(len(cases) - 0.4, -0.6)  # the first case on top
    if any(case["published_examples_per_s"] is not None for case in cases):
        draw_legend_of_rates(axes)


def draw_legend_of_rates(axes: plt.Axes) -> None:
    """Say which marker is which; below the axes, where no data are."""
    dot = {"linestyle": "", "marker": "o", "color": "#D55E00", "markersize": 7}
    entries = [
        Line2D([], [], linestyle="", marker="|", color="black", markersize=12,
               markeredgewidth=1.8, label="published"),
        Line2D([], [], label="predicted", **dot),
        Line2D([], [], label="fit to this row, no evidence", markerfacecolor="white",
               markeredgewidth=1.5, **dot),
    ]
    axes.legend(handles=entries, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncol=3,
                fontsize=8, handletextpad=0.2, columnspacing=1.0)


def draw_breakdown(axes: plt.Axes, cases: list[dict]) -> None:
    """Draw a bar for each case: the milliseconds of one step by operator class."""
    axes.set_axisbelow(True)
    left = [0.0] * len(cases)
    for column, label, colour, hatch in CLASSES:
        widths = [1e3 * (case[f"{column}_s"] or 0.0) for case in cases]
        if not any(widths):
            continue
        axes.barh(range(len(cases)), widths, left=left, height=0.62, color=colour, hatch=hatch,
                  edgecolor="#444444" if column == "idle" else "white", linewidth=0.4, label=label)
        left = [start + width for start, width in zip(left, widths)]
    axes.set_xlabel("time of one step (ms)")
    axes.grid(axis="y", visible=False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncol=4, fontsize=8,
                handlelength=1.4, columnspacing=1.2)


def draw(cases: list[dict]) -> plt.Figure:
    """Draw rates on the left and the breakdown on the right, a row for each case."""
    figure, (rates, breakdown) = plt.subplots(
        1, 2, sharey=True, figsize=(11.0, 1.6 + 0.36 * len(cases)),
        gridspec_kw={"wspace": 0.1, "width_ratios": (1.0, 1.15)})
    draw_rates(rates, cases)
    draw_breakdown(breakdown, cases)
    figure.suptitle(title(cases), fontsize=11, y=0.95)
    return figure


if __name__ == "__main__":
    script.run(__doc__, "results.csv of `switchyard run`", lambda paths: draw(read_cases(paths[0])))
