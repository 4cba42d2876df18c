#!/usr/bin/env python3
"""Plot measured transfers beside the fitted models: NCCL collectives by size, DeepEP by time.

Reads the link_calibration.csv of `switchyard fit links` and writes one figure. Reads nothing else and
computes nothing but the medians and the largest errors in the title, over rows that no fit has seen.

Usage: python3 plots/link_calibration.py out/links/link_calibration.csv --out out/links/link_calibration.png
"""

import statistics

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

import script

COLUMNS = ("family", "system", "name", "ranks", "size_bytes", "measured_us", "predicted_us",
           "error_fraction", "role")
NUMBERS = ("ranks", "size_bytes", "measured_us", "predicted_us", "error_fraction")
# Colours that colour-blind readers can tell apart (Okabe, Ito, "Color Universal Design", 2008).
RANK_COLOURS = {2: "#E69F00", 8: "#0072B2", 16: "#D55E00", 64: "#000000"}
OTHER_RANKS = "#777777"
MODES = ("normal dispatch", "normal combine", "low_latency dispatch", "low_latency combine")
SYSTEM = "h100_sxm"  # collectives of other systems are in the tables only


def finding(rows: list[dict]) -> str:
    """Return the finding: how far rows are off that no fit has seen."""
    parts = []
    for family, what in (("collective", "NCCL"), ("expert_parallel", "DeepEP")):
        errors = [abs(r["error_fraction"]) for r in rows
                  if r["family"] == family and r["system"] == SYSTEM and r["role"] == "held_out"]
        if errors:
            parts.append(f"{what} {statistics.median(errors):.1%}")
    text = f"Median error of held-out rows: {', '.join(parts)}" if parts else "No row was held out"
    published = [abs(r["error_fraction"]) for r in rows
                 if r["role"] == "published" and r["ranks"] == 64]
    if published:
        text += f"; figures published for 64 ranks are met within {max(published):.1%}"
    return text


def ranks_colour(ranks: float) -> str:
    return RANK_COLOURS.get(int(ranks), OTHER_RANKS)


def draw_collective(axes: plt.Axes, rows: list[dict], name: str) -> None:
    """Draw time over size: the fitted curve as a line, rows as markers by their role."""
    for ranks in sorted({r["ranks"] for r in rows}):
        curve = sorted((r for r in rows if r["ranks"] == ranks and r["role"] != "transfer"),
                       key=lambda r: r["size_bytes"])
        colour = ranks_colour(ranks)
        axes.plot([r["size_bytes"] for r in curve], [r["predicted_us"] for r in curve],
                  color=colour, linewidth=1.2, marker="", zorder=1)
        for role, marker, face in (("fit", "o", "white"), ("held_out", "o", colour),
                                   ("second_mode", "x", colour)):
            chosen = [r for r in curve if r["role"] == role]
            axes.plot([r["size_bytes"] for r in chosen], [r["measured_us"] for r in chosen],
                      linestyle="", marker=marker, markersize=4.5, color=colour,
                      markerfacecolor=face, markeredgewidth=1.0, zorder=2)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks([2**10, 2**16, 2**22, 2**28], ["1 KiB", "64 KiB", "4 MiB", "256 MiB"])
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(name.replace("_", "-"), fontsize=9)
    axes.set_xlabel("size (one rank's buffer)")


def draw_mode(axes: plt.Axes, rows: list[dict], name: str) -> None:
    """Draw predicted / measured of held-out and published rows over time; a strip shows 15 %."""
    axes.axhspan(0.85, 1.15, color="#E4E4E4", linewidth=0, zorder=0)
    axes.axhline(1.0, color="#777777", linewidth=0.8, marker="", zorder=1)
    for role, marker, size in (("held_out", "o", 2.6), ("published", "*", 10)):
        for ranks in (8, 16, 64):
            chosen = [r for r in rows if r["role"] == role and r["ranks"] == ranks]
            colour = ranks_colour(ranks)
            is_published = role == "published"
            axes.plot([r["measured_us"] for r in chosen],
                      [r["predicted_us"] / r["measured_us"] for r in chosen],
                      linestyle="", marker=marker, markersize=size, color=colour,
                      markeredgecolor="white" if is_published else colour,
                      markeredgewidth=0.6 if is_published else 0.0,
                      alpha=1.0 if is_published else 0.6, zorder=4 if is_published else 2)
    axes.set_xscale("log")
    ratios = [r["predicted_us"] / r["measured_us"] for r in rows]
    axes.set_ylim(min([0.65, *(0.95 * ratio for ratio in ratios)]),
                  max([1.4, *(1.05 * ratio for ratio in ratios)]))
    axes.set_title("DeepEP " + name.replace("_", "-"), fontsize=9)
    axes.set_xlabel("measured time (us)")


def draw_legends(figure: plt.Figure) -> None:
    """Say which colour and marker is which; below the axes, where no data are."""
    grey = {"linestyle": "", "color": "#444444"}
    entries = [Line2D([], [], color=colour, linewidth=3, marker="", label=f"{ranks} GPUs")
               for ranks, colour in RANK_COLOURS.items()]
    entries += [
        Line2D([], [], color="#444444", marker="", label="fitted curve"),
        Line2D([], [], marker="o", markerfacecolor="white", label="fitted to, no evidence", **grey),
        Line2D([], [], marker="o", label="held out", **grey),
        Line2D([], [], marker="x", label="second mode, left out", **grey),
        Line2D([], [], marker="*", markersize=9, label="published (H800), never fitted", **grey),
        Line2D([], [], color="#DDDDDD", linewidth=6, marker="", label="within 15 %"),
    ]
    figure.legend(handles=entries, loc="lower center", ncol=5, fontsize=8, columnspacing=1.4)


def draw(rows: list[dict]) -> plt.Figure:
    """Draw a column for each collective above and for each mode and direction below."""
    collectives = [r for r in rows if r["family"] == "collective" and r["system"] == SYSTEM]
    names = list(dict.fromkeys(r["name"] for r in collectives))
    columns = max(len(names), len(MODES))
    figure, panels = plt.subplots(2, columns, figsize=(3.0 * columns, 6.6), squeeze=False)
    for column, axes in enumerate(panels[0]):
        if column < len(names):
            draw_collective(axes, [r for r in collectives if r["name"] == names[column]],
                            names[column])
        else:
            axes.set_axis_off()
    for mode, axes in zip(MODES, panels[1]):
        draw_mode(axes, [r for r in rows if r["name"] == mode
                         and r["role"] in ("held_out", "published")], mode)
    panels[0][0].set_ylabel("time (us)")
    panels[1][0].set_ylabel("predicted / measured time")
    draw_legends(figure)
    figure.suptitle(finding(rows), fontsize=11)
    figure.tight_layout(rect=(0.0, 0.075, 1.0, 1.0))
    return figure


if __name__ == "__main__":
    script.run(__doc__, "link_calibration.csv of `switchyard fit links`",
               lambda paths: draw(script.read_rows(paths[0], COLUMNS, NUMBERS,
                                                   may_be_empty=("size_bytes",))))
