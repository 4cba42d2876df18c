#!/usr/bin/env python3
"""Plot what a capacity factor costs and buys: dropped choices, empty slots, time of a step.

Reads the results.json of `switchyard run experiments/capacity_factor.yaml` and writes one figure.

Usage: python3 plots/capacity_factor.py out/capacity_factor/results.json --out out/capacity_factor.png
"""

from pathlib import Path

import matplotlib.pyplot as plt

import script

FACTOR = "input.routing.capacity_factor"
STEP = "results.step_time_s"
STACKS = (("encoder", "#0072B2", "o"), ("decoder", "#E69F00", "s"))  # Okabe-Ito colours
EMPTY = "#009E73"
TIME = "#D55E00"


def key_of(stack: str, figure: str, percentile: str) -> str:
    """Return the dotted key of a figure of a stack's routing."""
    return f"results.routing.{stack}.{figure}.{percentile}"


def keys() -> list[str]:
    """Return what is read of each case."""
    return [FACTOR, STEP] + [key_of(stack, figure, percentile) for stack, *_ in STACKS
                             for figure in ("dropped_fraction", "padding_fraction")
                             for percentile in ("p5", "p50", "p95")]


def title(cases: list[dict]) -> str:
    """Return the finding: what the largest factor saves and costs against the smallest."""
    first, last = cases[0], cases[-1]
    dropped = key_of("encoder", "dropped_fraction", "p50")
    return (f"From capacity factor {first[FACTOR]:g} to {last[FACTOR]:g} the encoder drops "
            f"{first[dropped]:.1%} to {last[dropped]:.1%},\nand the time of a step "
            f"changes by {last[STEP] / first[STEP] - 1:+.0%}")


def draw(cases: list[dict]) -> plt.Figure:
    """Draw drops and empty slots on the left, the time of a step on the right."""
    cases = sorted(cases, key=lambda case: case[FACTOR])
    factors = [case[FACTOR] for case in cases]
    figure, (fractions, times) = plt.subplots(1, 2, figsize=(9.5, 4.0))
    for stack, colour, marker in STACKS:
        for name, figure_key, style in (("dropped choices", "dropped_fraction", "-"),
                                        ("empty slots", "padding_fraction", "--")):
            percent = {p: [100 * case[key_of(stack, figure_key, p)] for case in cases]
                       for p in ("p5", "p50", "p95")}
            fractions.plot(factors, percent["p50"], style, color=colour, marker=marker,
                           label=f"{name}, {stack}")
            fractions.fill_between(factors, percent["p5"], percent["p95"], color=colour, alpha=0.2,
                                   linewidth=0)
    fractions.set_xlabel("capacity factor")
    fractions.set_ylabel("share (%), median and 5th to 95th percentile")
    fractions.set_ylim(bottom=0)
    fractions.legend(fontsize=8)
    times.plot(factors, [1e3 * case[STEP] for case in cases], color=TIME)
    times.set_xlabel("capacity factor")
    times.set_ylabel("time of a step (ms)")
    times.set_ylim(0, 1.1e3 * max(case[STEP] for case in cases))
    figure.suptitle(title(cases))
    figure.tight_layout()
    return figure


def read(path: Path) -> list[dict]:
    """Return the cases of a results file."""
    return script.read_cases(path, keys())


if __name__ == "__main__":
    script.run(__doc__, "results.json of `switchyard run`", lambda paths: draw(read(paths[0])))
