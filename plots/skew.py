#!/usr/bin/env python3
"""Plot the time of a step against the imbalance of experts, a line for each placement.

Reads the results.json of `switchyard run experiments/skew.yaml` and writes one figure.

Usage: python3 plots/skew.py out/skew/results.json --out out/skew.png
"""

from pathlib import Path

import matplotlib.pyplot as plt

import script

SIGMA = "input.routing.imbalance.lognormal_sigma"
STEP = "results.step_time_over_draws_s"
PLACEMENT = "input.routing.placement.kind"
IMBALANCE = "results.routing.decoder.expert_imbalance.p50"
RANKS = "results.routing.decoder.rank_imbalance.p50"
COLOURS = {"contiguous": "#0072B2", "replicated": "#E69F00", "round-robin": "#009E73", "given": "#CC79A7"}
MARKERS = {"contiguous": "o", "replicated": "s", "round-robin": "^", "given": "D"}


def title(cases: list[dict]) -> str:
    """Return the finding: what the most skewed case costs, by placement."""
    texts = []
    for placement in COLOURS:
        line = sorted((case for case in cases if case[PLACEMENT] == placement), key=lambda case: case[SIGMA])
        if len(line) > 1:
            texts.append(f"{line[-1][STEP]['p50'] / line[0][STEP]['p50'] - 1:+.0%} with {placement} experts")
    worst = max(cases, key=lambda case: case[SIGMA])
    return (f"A busiest expert {worst[IMBALANCE]:.1f} times the mean changes the time of a step by\n"
            + ", ".join(texts))


def draw(cases: list[dict]) -> plt.Figure:
    """Draw step time on the left, what each placement leaves of the imbalance on the right."""
    figure, (times, ranks) = plt.subplots(1, 2, figsize=(10, 4.2))
    for placement, colour in COLOURS.items():
        line = sorted((case for case in cases if case[PLACEMENT] == placement), key=lambda case: case[IMBALANCE])
        if not line:
            continue
        imbalance = [case[IMBALANCE] for case in line]
        style = {"color": colour, "marker": MARKERS[placement], "label": f"{placement} experts"}
        times.plot(imbalance, [1e3 * case[STEP]["p50"] for case in line], **style)
        times.fill_between(imbalance, [1e3 * case[STEP]["p5"] for case in line],
                           [1e3 * case[STEP]["p95"] for case in line], color=colour, alpha=0.2,
                           linewidth=0)
        ranks.plot(imbalance, [case[RANKS] for case in line], **style)
    for axes in (times, ranks):
        axes.set_xlabel("imbalance of experts (busiest / mean, median)")
    times.set_ylabel("time of a step (ms), 5th to 95th percentile")
    times.set_ylim(bottom=0)
    times.legend(fontsize=8)
    ranks.set_ylabel("imbalance of ranks (busiest / mean, median)")
    figure.suptitle(title(cases))
    figure.tight_layout()
    return figure


def read(path: Path) -> list[dict]:
    """Return the cases of a results file."""
    return script.read_cases(path, (SIGMA, STEP, PLACEMENT, IMBALANCE, RANKS))


if __name__ == "__main__":
    script.run(__doc__, "results.json of `switchyard run`", lambda paths: draw(read(paths[0])))
