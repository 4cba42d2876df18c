#!/usr/bin/env python3
"""Plot predicted against measured times of kernels and whole layers, by operator.

Reads the calibration.csv of `switchyard validate --profile` and writes one figure. Reads nothing else and
computes nothing but the medians in the titles, over points that no fit has seen.

Usage: python3 plots/calibration_parity.py out/calibration/calibration.csv --out out/calibration/parity.png
"""

import statistics

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

import script

COLUMNS = ("operator", "role", "measured_s", "predicted_s", "low_s", "high_s", "provenance")
NUMBERS = ("measured_s", "predicted_s", "low_s", "high_s")
# Colours that colour-blind readers can tell apart (Okabe, Ito, "Color Universal Design", 2008); kinds of
# operators share one and differ in their marks.
GROUPS = {
    "products": ("#0072B2", "o", ("gemm", "grouped_forward", "grouped_data_gradient",
                                  "grouped_weight_gradient")),
    "router": ("#D55E00", "s", ("router", "router_backward", "plan")),
    "rows": ("#009E73", "^", ("copy", "permute", "unpermute", "combine", "combine_backward")),
    "activation, norm": ("#CC79A7", "v", ("activation", "activation_backward", "layer_norm")),
    "attention": ("#E69F00", "P", ("attention_prefill", "attention_decode")),
    "collectives": ("#56B4E9", "D", ("all_to_all", "all_reduce", "all_gather")),
    "whole layers": ("#000000", "*", ("layer_forward", "layer_forward_backward")),
}


def median_error(rows: list[dict]) -> float:
    """Return the median error of rows, without sign."""
    return statistics.median(abs(r["predicted_s"] / r["measured_s"] - 1) for r in rows)


def minor_label(value: float, _position: int) -> str:
    """Label 2 and 5 of a decade."""
    text = f"{value:.0e}"
    return rf"${text[0]}\cdot10^{{{int(text[2:])}}}$" if text[0] in "25" else ""


def draw(axes: plt.Axes, rows: list[dict], names: list[str]) -> None:
    """Draw the groups of `names`; the strip shows 15 % around the diagonal."""
    times = [r[column] for r in rows for column in ("measured_s", "predicted_s")]
    ends = [0.6 * min(times), 1.6 * max(times)]
    axes.fill_between(ends, [0.85 * e for e in ends], [1.15 * e for e in ends], color="#E4E4E4",
                      linewidth=0, zorder=0)
    axes.plot(ends, ends, color="#777777", linewidth=0.8, marker="", zorder=1)
    for name in names:
        color, mark, operators = GROUPS[name]
        chosen = [r for r in rows if r["operator"] in operators]
        if not chosen:
            continue
        axes.errorbar([r["measured_s"] for r in chosen], [r["predicted_s"] for r in chosen],
                      yerr=[[r["predicted_s"] - r["low_s"] for r in chosen],
                            [r["high_s"] - r["predicted_s"] for r in chosen]],
                      linestyle="", marker=mark, markersize=4, color=color, elinewidth=0.5,
                      markerfacecolor="white", markeredgewidth=0.8, label=name, zorder=2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    if ends[1] < 100 * ends[0]:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(FuncFormatter(minor_label))
            axis.set_tick_params(which="minor", labelsize="small")
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal")
    axes.set_xlabel("measured time (s)")
    axes.set_ylabel("predicted time (s)")
    axes.legend(fontsize="x-small", loc="upper left")


def figure_of(rows: list[dict]) -> plt.Figure:
    """Draw kernels that were held out, and beside them whole layers where there are any."""
    kernels = [r for r in rows if r["role"] == "held_out"]
    if not kernels:
        kernels = [r for r in rows if r["role"] == "fit"]
    layers = [r for r in rows if r["role"] == "layer"]
    figure, panels = plt.subplots(1, 2 if layers else 1, squeeze=False,
                                  figsize=(7.6 if layers else 4.2, 4.2))
    draw(panels[0][0], kernels, [name for name in GROUPS if name != "whole layers"])
    seen = "fitted to" if kernels[0]["role"] == "fit" else "not fitted to"
    panels[0][0].set_title(f"{len(kernels)} kernels {seen}: median {median_error(kernels):.1%} off")
    if layers:
        draw(panels[0][1], layers, ["whole layers"])
        panels[0][1].set_title(f"{len(layers)} whole layers: median {median_error(layers):.1%} off")
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    script.run(__doc__, "calibration.csv of `switchyard validate --profile`",
               lambda paths: figure_of(script.read_rows(paths[0], COLUMNS, NUMBERS)))
