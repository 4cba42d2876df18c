#!/usr/bin/env python3
"""Plot predicted against measured times of published kernels, layers and transfers, a panel for each area.

Reads the validation_areas.csv of `switchyard validate --out` and writes one figure. Reads nothing else
and computes nothing but the medians in the titles, over rows that were not fitted to where there are any.

Usage: python3 plots/validation_parity.py out/validation/validation_areas.csv --out out/validation/parity.png
"""

import statistics

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

import script

COLUMNS = ("area", "row", "role", "measured_us", "predicted_us", "baseline_us")
NUMBERS = ("measured_us", "predicted_us", "baseline_us")
# Colours that colour-blind readers can tell apart (Okabe, Ito, "Color Universal Design", 2008).
PREDICTED = "#0072B2"
FIT = "#E69F00"
BASELINE = "#AAAAAA"


def judged(rows: list[dict]) -> list[dict]:
    """Return the rows that were not fitted to, or all where there are none."""
    return [r for r in rows if r["role"] == "predicted"] or rows


def median_error(rows: list[dict], column: str) -> float:
    """Return the median absolute error of the rows that judge."""
    return statistics.median(abs(r[column] / r["measured_us"] - 1) for r in judged(rows))


def draw_area(axes: plt.Axes, area: str, rows: list[dict]) -> None:
    """Draw one area; the strip is 15 % around the diagonal."""
    times = [r[column] for r in rows for column in ("measured_us", "predicted_us")]
    ends = [0.6 * min(times), 1.7 * max(times)]
    axes.fill_between(ends, [0.85 * e for e in ends], [1.15 * e for e in ends], color="#E4E4E4",
                      linewidth=0, zorder=0)
    axes.plot(ends, ends, color="#777777", linewidth=0.8, marker="", zorder=1)
    size = 2.2 if len(rows) > 400 else 3.4
    # Baselines of equal rows only; those beyond the axes are not drawn.
    axes.plot([r["measured_us"] for r in judged(rows)], [r["baseline_us"] for r in judged(rows)],
              linestyle="", marker="x", markersize=size, color=BASELINE, zorder=2)
    for role, colour, marker in (("fit", FIT, "s"), ("predicted", PREDICTED, "o")):
        chosen = [r for r in rows if r["role"] == role]
        axes.plot([r["measured_us"] for r in chosen], [r["predicted_us"] for r in chosen],
                  linestyle="", marker=marker, markersize=size, color=colour, markeredgewidth=0.6,
                  markerfacecolor="white" if role == "fit" else colour,
                  zorder=3 if role == "fit" else 4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal")
    held_out = any(r["role"] == "predicted" for r in rows)
    axes.set_title(f"{area}\n{median_error(rows, 'predicted_us'):.1%} off"
                   f"{'' if held_out else ' (all fitted to)'}, baseline "
                   f"{median_error(rows, 'baseline_us'):.0%}", fontsize=8.5)


def title(areas: dict[str, list[dict]]) -> str:
    """Return the finding: how far areas with held-out rows are off."""
    errors = [median_error(rows, "predicted_us") for rows in areas.values()
              if any(r["role"] == "predicted" for r in rows)]
    if not errors:
        return "Published times: all of these were fitted to"
    return (f"Rows not fitted to are {min(errors):.1%} to {max(errors):.1%} off (medians of "
            f"{len(errors)} areas); unproven on GPU for our own kernels")


def draw(rows: list[dict]) -> plt.Figure:
    """Draw a panel for each area."""
    areas: dict[str, list[dict]] = {}
    for row in rows:
        areas.setdefault(row["area"], []).append(row)
    columns = min(4, len(areas))
    lines = -(-len(areas) // columns)
    figure, panels = plt.subplots(lines, columns, figsize=(2.9 * columns, 3.2 * lines + 0.7),
                                  squeeze=False)
    flat = list(panels.flat)
    for axes, (area, of_area) in zip(flat, areas.items()):
        draw_area(axes, area, of_area)
    for axes in flat[len(areas):]:
        axes.set_visible(False)
    for row in panels:
        row[0].set_ylabel("predicted time (us)")
    for place in range(max(0, len(areas) - columns), len(areas)):
        flat[place].set_xlabel("measured time (us)")
    figure.legend(loc="lower center", ncol=4, fontsize=8, columnspacing=1.4, handles=[
        Line2D([], [], marker="s", linestyle="", markerfacecolor="white", color=FIT,
               label="fitted to, no evidence"),
        Line2D([], [], marker="o", linestyle="", color=PREDICTED, label="predicted"),
        Line2D([], [], marker="x", linestyle="", color=BASELINE, label="trivial baseline"),
        Line2D([], [], color="#DDDDDD", linewidth=6, marker="", label="within 15 %"),
    ])
    figure.suptitle(title(areas), fontsize=10.5)
    figure.tight_layout(rect=(0.0, 0.05, 1.0, 0.98))
    return figure


if __name__ == "__main__":
    script.run(__doc__, "validation_areas.csv of `switchyard validate`",
               lambda paths: draw(script.read_rows(paths[0], COLUMNS, NUMBERS)))
