#!/usr/bin/env python3
"""Plot the time of collectives against their size, or against the number of ranks.

Reads the net.csv of `switchyard net` and writes one figure. With several sizes of a system: time and
bus bandwidth against size, as nccl-tests prints them. With one size and several systems: time against
ranks, with the lower bound. Computes nothing but the ratios in the title.

Usage: python3 plots/net.py out/net/net.csv --out out/net/net.png
"""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, NullLocator

import script

# Colours that colour-blind readers can tell apart (Okabe, Ito, "Color Universal Design", 2008); lines
# of one colour differ by marker and dash.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = {"fluid": "-", "simgrid": "--", "analytic": ":"}
NUMBERS = ("num_ranks", "num_groups", "group_size", "size_bytes", "time_s", "bound_s",
           "busbw_bytes_per_s")
COLUMNS = ("system", "collective", "algorithm", "chosen_by_auto", "engine", *NUMBERS)


def read_rows(paths: list[Path]) -> list[dict]:
    """Return a dictionary for each row of all files; what auto chose is one line of the figure."""
    rows = [row for path in paths for row in script.read_rows(path, COLUMNS, NUMBERS)]
    for row in rows:
        if row["chosen_by_auto"] == "yes":
            row["algorithm"] = "auto"
    return rows


def lines_of(rows: list[dict], keys: tuple[str, ...]) -> dict[tuple, list[dict]]:
    """Return the rows of each line of the figure, which share `keys`, in file order."""
    lines: dict[tuple, list[dict]] = {}
    for row in rows:
        lines.setdefault(tuple(row[key] for key in keys), []).append(row)
    return lines


def size_label(size: float) -> str:
    """Return "64 MiB" for a power of two, else decimal units."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size:g} B"


def style_of(order: int, engine: str) -> dict:
    """Return colour and marker of the n-th line; the dash tells the engine."""
    return {"color": COLOURS[order % len(COLOURS)], "marker": MARKERS[order % len(MARKERS)],
            "linestyle": DASHES.get(engine, "-."), "markersize": 4, "linewidth": 1.4}


def label_of(row: dict, rows: list[dict], keys: tuple[str, ...]) -> str:
    """Return what tells a line from the others; all of it when there is one line only."""
    telling = [key for key in keys if len({other[key] for other in rows}) > 1]
    return ", ".join(row[key] for key in telling or keys)


def draw_sizes(rows: list[dict]) -> plt.Figure:
    """Draw time and bus bandwidth against size."""
    keys = ("system", "algorithm", "engine")
    figure, (times, rates) = plt.subplots(1, 2, figsize=(10, 4.2))
    for order, line in enumerate(lines_of(rows, keys).values()):
        line = sorted(line, key=lambda row: row["size_bytes"])
        sizes = [row["size_bytes"] for row in line]
        style = style_of(order, line[0]["engine"])
        label = label_of(line[0], rows, keys)
        times.plot(sizes, [1e6 * row["time_s"] for row in line], label=label, **style)
        rates.plot(sizes, [row["busbw_bytes_per_s"] / 1e9 for row in line], **style)
    times.set_yscale("log")
    times.set_ylabel("time (us)")
    rates.set_ylabel("bus bandwidth (GB/s)")
    rates.set_ylim(bottom=0)
    for axes in (times, rates):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("size S of a rank's buffer")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: size_label(size)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="x", rotation=30)
    handles, labels = times.get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=3)
    best = max(rows, key=lambda row: row["busbw_bytes_per_s"])
    figure.suptitle(f"{best['collective']}: {best['busbw_bytes_per_s'] / 1e9:.4g} GB/s bus bandwidth "
                    f"at {size_label(best['size_bytes'])} ({label_of(best, rows, keys)})")
    return figure


def growth(line: list[dict]) -> str:
    """Return how a line grows from its first to its last system."""
    first, last = line[0], line[-1]
    return (f"{last['time_s'] / first['time_s']:.3g}x the time from {first['num_ranks']:g} to "
            f"{last['num_ranks']:g} ranks")


def draw_ranks(rows: list[dict]) -> plt.Figure:
    """Draw time and bound against the number of ranks."""
    keys = ("collective", "algorithm", "engine")
    figure, axes = plt.subplots(figsize=(7, 4.6))
    findings = []
    for order, line in enumerate(lines_of(rows, keys).values()):
        line = sorted(line, key=lambda row: row["num_ranks"])
        ranks = [row["num_ranks"] for row in line]
        style = style_of(order, line[0]["engine"])
        label = label_of(line[0], rows, keys)
        axes.plot(ranks, [1e3 * row["time_s"] for row in line], label=label, **style)
        axes.plot(ranks, [1e3 * row["bound_s"] for row in line], color=style["color"], alpha=0.35,
                  linewidth=5, marker="", zorder=0, label=f"bound of {line[0]['collective']}")
        findings.append(f"{label}: {growth(line)}")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlabel("ranks")
    axes.set_ylabel("time (ms)")
    axes.set_xticks(sorted({row["num_ranks"] for row in rows}))
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    axes.legend(unique.values(), unique.keys(), fontsize=8)
    axes.set_title("\n".join(findings[:3]) + f"\n({size_label(rows[0]['size_bytes'])} per rank)",
                   fontsize=10)
    return figure


def draw(rows: list[dict]) -> plt.Figure:
    """Draw against size where a system has several, else against ranks."""
    sizes = {row["size_bytes"] for row in rows}
    if len(sizes) > 1 or len({row["num_ranks"] for row in rows}) == 1:
        return draw_sizes(rows)
    return draw_ranks(rows)


if __name__ == "__main__":
    script.run(__doc__, "net.csv of `switchyard net`; several are drawn together",
               lambda paths: draw(read_rows(paths)), takes_several=True)
