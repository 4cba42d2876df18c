#!/usr/bin/env python3
"""Draw a network: nodes, links as wide as their bandwidth, degraded links marked.

Reads the topology.json of `switchyard show topology NAME --out DIR` and writes one figure. Reads nothing
else; computes nothing but where to put the nodes.

Usage: python3 plots/topology.py out/topology/topology.json --out out/topology/topology.png
"""

import math
import re
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

import script

# Colours that colour-blind readers can tell apart (Okabe, Ito, "Color Universal Design", 2008); shapes and
# line styles say the same again.
RANK, SWITCH, LINK, ON_CHIP = "#0072B2", "#E69F00", "#555555", "#BBBBBB"
STATES = {"slow": ("#CC79A7", ":"), "failed": ("#D55E00", "--")}
# From the top; names of nodes without path, number and brackets.
TIERS = ("core", "spine", "leaf", "gateway", "nic", "rank", "switch")
KEYS = ("name", "network", "nodes", "links", "bisection_bandwidth_bytes_per_s", "bisection_is_narrowest",
        "busiest_cable", "ranks")


def rate_text(bytes_per_second: float) -> str:
    """Return "6.4 TB/s" for 6.4e12."""
    for factor, unit in ((1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s")):
        if bytes_per_second >= factor:
            return f"{bytes_per_second / factor:.4g} {unit}"
    return f"{bytes_per_second:.4g} B/s"


def title(document: dict) -> str:
    """Return the finding: the bisection, and what is broken or busiest."""
    cut = "bisection" if document["bisection_is_narrowest"] else "first half to the others"
    text = f"{document['name']}: {cut} {rate_text(document['bisection_bandwidth_bytes_per_s'])}"
    failed = sum(link["state"] == "failed" for link in document["links"])
    slow = sum(link["state"] == "slow" for link in document["links"])
    if failed or slow:
        return f"{text} with {failed} links failed and {slow} slow"
    busiest = document["busiest_cable"]
    return f"{text}\na uniform all-to-all fills {busiest} first" if busiest else text


def family(name: str) -> str:
    return re.sub(r"[0-9(].*", "", name.rsplit("/", 1)[-1])


def coordinates(router: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", router)]


def grid(document: dict) -> dict:
    """Return where each router of a torus stands; planes of a third dimension are shifted."""
    places = {}
    for node in document["nodes"]:
        if family(node["name"]) != "router":
            continue
        x, y, *z = coordinates(node["name"])
        depth = z[0] if z else 0
        places[node["name"]] = (x + 0.28 * depth, -y + 0.22 * depth)
    return places


def circle(document: dict) -> dict:
    nodes = document["nodes"]
    return {node["name"]: (math.sin(2 * math.pi * i / len(nodes)), math.cos(2 * math.pi * i / len(nodes)))
            for i, node in enumerate(nodes)}


def tiers(document: dict) -> dict:
    """Return where each node stands: ranks side by side, a tier for each kind of switch."""
    names = {tier: [n["name"] for n in document["nodes"] if family(n["name"]) == tier] for tier in TIERS}
    rows = [tier for tier in TIERS if names[tier]]
    width = max(len(members) for members in names.values())
    return {name: ((i + 0.5) * width / len(names[tier]), -row)
            for row, tier in enumerate(rows) for i, name in enumerate(names[tier])}


def places_of(document: dict) -> dict:
    if "torus" in document["network"]:
        return grid(document)
    kinds = {family(node["name"]) for node in document["nodes"]}
    is_tiered = "graph" not in document["network"] and kinds <= set(TIERS) and len(kinds) > 1
    return tiers(document) if is_tiered else circle(document)


def segments(document: dict, places: dict) -> dict:
    """Return (state, place) -> lines with their bandwidths; a cable's two directions are one line."""
    lines = {}
    seen = set()
    is_grid = "torus" in document["network"]
    for link in sorted(document["links"], key=lambda l: l["state"] == "good"):
        ends = tuple(sorted((link["from"], link["to"])))
        if ends in seen or link["from"] not in places or link["to"] not in places:
            continue
        seen.add(ends)
        (x0, y0), (x1, y1) = places[link["from"]], places[link["to"]]
        group = lines.setdefault((link["state"], link["place"]), [])
        bandwidth = link["bandwidth_bytes_per_s"]
        steps = [abs(a - b) for a, b in zip(coordinates(link["from"]), coordinates(link["to"]))]
        if is_grid and max(steps) > 1:  # goes round: a stub at both ends
            dx, dy = 0.4 * (x1 - x0) / max(steps), 0.4 * (y1 - y0) / max(steps)
            group += [([(x0, y0), (x0 - dx, y0 - dy)], bandwidth), ([(x1, y1), (x1 + dx, y1 + dy)], bandwidth)]
        else:
            group.append(([(x0, y0), (x1, y1)], bandwidth))
    return lines


def draw_links(axes: plt.Axes, document: dict, places: dict) -> None:
    lines = segments(document, places)
    cables = [b for (_, place), group in lines.items() if place == "network" for _, b in group]
    widest = max(cables, default=1.0)
    thin = 0.35 if len(cables) > 1500 else 1.0
    for (state, place), group in lines.items():
        colour, style = STATES.get(state, (ON_CHIP if place == "on-chip" else LINK, "-"))
        widths = [0.5 if place == "on-chip" else thin * (0.6 + 2.4 * b / widest) for _, b in group]
        if state != "good":
            widths = [max(3.0, width) for width in widths]
        axes.add_collection(LineCollection([line for line, _ in group], linewidths=widths, colors=colour,
                                           linestyles=style, zorder=1 if state == "good" else 2,
                                           alpha=0.8 if state == "good" else 1.0))


def draw_nodes(axes: plt.Axes, document: dict, places: dict) -> None:
    kinds = {node["name"]: node["kind"] for node in document["nodes"]}
    size = max(3.0, min(60.0, 4000.0 / len(places)))
    for kind, colour, marker in (("rank", RANK, "o"), ("switch", SWITCH, "s")):
        points = [places[name] for name in places if kinds[name] == kind]
        if points:
            axes.scatter(*zip(*points), s=size, c=colour, marker=marker, zorder=3, edgecolors="white",
                         linewidths=0.4)
    if len(places) <= 40:
        for name, (x, y) in places.items():
            axes.annotate(name, (x, y), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=6,
                          zorder=4)


def label_tiers(axes: plt.Axes, places: dict) -> None:
    """Name each tier at the left of it."""
    labels = {"nic": "NICs", "switch": "NVLink\nswitches", "leaf": "leaves"}
    left = min(x for x, _ in places.values())
    right = max(x for x, _ in places.values())
    for tier in TIERS:
        rows = {y for name, (_, y) in places.items() if family(name) == tier}
        if len(rows) == 1:
            axes.text(left - 0.03 * (right - left) - 0.3, rows.pop(), labels.get(tier, f"{tier}s"), ha="right",
                      va="center", fontsize=8)


def draw_legend(axes: plt.Axes, document: dict) -> None:
    widest = max((l["bandwidth_bytes_per_s"] for l in document["links"] if l["place"] == "network"),
                 default=0.0)
    per_router = document["network"].get("torus", {}).get("ranks_per_router")
    switch = f"chip with {per_router} rank{'s' if per_router > 1 else ''}" if per_router else "switch or NIC"
    entries = [Line2D([], [], linestyle="", marker="s", color=SWITCH, label=switch)]
    if not per_router:
        entries.insert(0, Line2D([], [], linestyle="", marker="o", color=RANK, label="rank"))
    entries.append(Line2D([], [], marker="", color=LINK, linewidth=3.0,
                          label=f"{rate_text(widest)} per direction; thinner is less"))
    for state, (colour, style) in STATES.items():
        if any(link["state"] == state for link in document["links"]):
            entries.append(Line2D([], [], marker="", color=colour, linestyle=style, linewidth=2.0,
                                  label=f"{state} link"))
    axes.legend(handles=entries, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=len(entries),
                fontsize=7, columnspacing=1.2, handletextpad=0.5)


def draw(document: dict) -> plt.Figure:
    """Draw the network without axes: positions mean nothing."""
    figure, axes = plt.subplots(figsize=(8.0, 5.6))
    places = places_of(document)
    draw_links(axes, document, places)
    draw_nodes(axes, document, places)
    draw_legend(axes, document)
    if not {"torus", "graph"} & document["network"].keys() and len({y for _, y in places.values()}) <= len(TIERS):
        label_tiers(axes, places)
    axes.autoscale_view()
    axes.margins(0.06)
    if "torus" in document["network"]:
        axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(title(document), fontsize=10)
    return figure


if __name__ == "__main__":
    script.run(__doc__, "topology.json of `switchyard show topology`",
               lambda paths: draw(script.read_json(paths[0], KEYS)))
