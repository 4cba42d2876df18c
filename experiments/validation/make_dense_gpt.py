#!/usr/bin/env python3
"""Write dense_gpt_a100.yaml and dense_gpt_a100_node.yaml from the measured steps, by one rule.

Every second row, from the first on, is one that `switchyard fit steps` may use.

The rule, fixed before any prediction was made: one row for each model size (multi-node rows only), number
of GPUs and shape (tp, dp, pp); of several, the middle one in the order of hidden, layers, global_batch,
micro_batch, the lower of two.

Usage: python3 experiments/validation/make_dense_gpt.py [--check]
"""

import argparse
import csv
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEASURED = HERE.parent / "reference" / "dense_gpt_step_a100.csv"
WHOLE_NUMBERS = ("gpus", "global_batch", "micro_batch", "hidden", "heads", "layers", "seq", "tp",
                 "dp", "pp")
SOURCE = "VIA-Research/vTrain@f8dda84 data/ground_truth_{}.csv"

# Facts below come from VIA-Research/vTrain@f8dda84, which models what was measured: config/validation,
# src/model/gpt_modeling.py and src/predictor.py.
HEADER = """\
# {question}
# Run:  switchyard validate experiments/validation/{name}.yaml
# Plot: python3 plots/validation.py out/validation/validation.csv --out out/validation/validation.png
#
# Written by experiments/validation/make_dense_gpt.py (--check compares); change that, not this file.
# Measured with Megatron-DeepSpeed, Bang et al., MICRO 2024 (arXiv:2312.12391): experiments/reference/
# dense_gpt_step_a100.csv. {count} of its {total} {kind} rows, by a rule fixed before any prediction was made:
{rule}
# Known from the source's own model of these runs: all layers recomputed (use_checkpoint), scores and softmax as
# kernels of their own, dropout, 1F1B, two all-reduces per layer and pass (no sequence parallelism), gradients
# summed after the last backward pass, 800 Gbps per node. Vocabulary: 51200, GPT-2's as Megatron pads it to.
# Taken for what Switchyard does not have: rotary positions for learned ones (no parameters),
# bfloat16 for float16.
# Open, for the data come without launch scripts: see each case. Kernels of the A100 were not measured: its
# constants are those of the H100, scaled, under a published ceiling.
# Every second row, from the first on, has role fit: `switchyard fit steps` set three constants to them, the speed that
# products sustain and the time of a launch (in the profile) and the memory_efficiency below, of this framework's
# kernels that only move data.
name: {name}
title: "{question}"
model:
  architecture: decoder-only
  encoder_layers: 0
  decoder_layers: {layers}
  d_model: {hidden}
  d_ff: {d_ff}
  activation: gelu
  heads: {heads}
  d_head: {d_head}
  vocabulary: 51200
  tied_embedding: true
  positions: rotary
{system}
partition: {{data: 1, tensor: 1, pipeline: 1, zero: 0, sequence_parallel: false}}
schedule: {{recompute: full, overlap_gradients: false}}
batch: {{sequences: {global_batch}, target_tokens: {seq}, microbatch_sequences: {micro_batch}}}
precision: bfloat16
draws: 0
seed: 1

cases:
"""
RULES = {
    "multi": "# one for each model and shape (tensor, data, pipeline ranks); of several the middle one in the order of\n"
             "# global batch and microbatch, the lower of two.",
    "single": "# one for each number of GPUs and shape (tensor, data, pipeline ranks); of several the middle one in the\n"
              "# order of width, layers, global batch and microbatch, the lower of two.",
}
LOWERING = "{fused_attention: false, dropout: true}"
# Kernels of the framework that only move data: switchyard fit steps, on the rows of role fit.
MEMORY = "{value: 0.343, provenance: fitted, range: [0.3, 0.95]}"
SYSTEMS = {
    "multi": f"system: {{base: dgx-a100-x16, device: {{lowering: {LOWERING}, memory_efficiency: {MEMORY}}}, cluster: {{nics_per_node: 4}}}}",
    "single": f"system: {{base: dgx-a100, device: {{lowering: {LOWERING}, memory_efficiency: {MEMORY}}}}}",
}
FILES = {
    "multi": ("dense_gpt_a100", "How long do steps of dense GPT models take on 64 to 512 A100 GPUs?"),
    "single": ("dense_gpt_a100_node", "How long do steps of dense GPT models take on 2 to 8 A100 GPUs of one node?"),
}


def read_measured() -> list[dict]:
    """Return the measured rows, sizes as whole numbers, in file order."""
    lines = [line for line in MEASURED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    for row in rows:
        row.update({column: int(row[column]) for column in WHOLE_NUMBERS})
    return rows


def sample(rows: list[dict]) -> list[dict]:
    """Return the rows that the rule picks, sorted by GPUs, width and shape."""
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        key = (row["gpus"], float(row["params_b"] or 0), row["tp"], row["dp"], row["pp"])
        groups.setdefault(key, []).append(row)
    order = ("hidden", "layers", "global_batch", "micro_batch")
    return [sorted(group, key=lambda r: [r[column] for column in order])[(len(group) - 1) // 2]
            for _, group in sorted(groups.items())]


def reason(kind: str, row: dict) -> str:
    """Return why the row may be far off: what other rows of the same data show about it."""
    if kind == "single":
        return ("such steps are launches (1024 wide, tp 4 dp 2, a layer takes 3.6 ms for 1 sequence as "
                "for 2), and one time for each operator, whatever its kernels, is a rough count of them")
    if row["params_b"] == "3.6" and row["tp"] >= 8:
        return ("in small microbatches the run is slower than its launches: tp 8 dp 8 takes 8.9 s in "
                "microbatches of 2 and 5.0 s in microbatches of 32")
    if row["params_b"] == "39.1" and row["tp"] < 8:
        return ("tp 2 and tp 4 dp 16 were measured slower than tp 8 at equal GPUs, tp 4 dp 8 was not: "
                "something that the data do not tell")
    return ""


def open_readings(row: dict) -> list[str]:
    """Return what the data leave open for this row."""
    readings = ["{name: no recomputation, set: {schedule.recompute: none}}"]
    if row["tp"] > 1:
        readings.append("{name: sequence parallel, set: {partition.sequence_parallel: true}}")
    if row["dp"] > 1:
        readings.append("{name: gradients overlap, set: {schedule.overlap_gradients: true}}")
        readings.append("{name: zero 1, set: {partition.zero: 1}}")
    return readings


def case_text(kind: str, row: dict, role: str) -> str:
    """Return a case in YAML."""
    shape = f"tp {row['tp']} dp {row['dp']} pp {row['pp']}"
    if kind == "multi":
        name = f"{row['params_b']}B {shape}"
        system = f"system.cluster.nodes: {row['gpus'] // 8}"
    else:
        name = f"{row['hidden']}x{row['layers']} {shape}"
        system = f"system.scale_up.ranks: {row['gpus']}"
    readings = "".join(f"\n      - {reading}" for reading in open_readings(row))
    why = reason(kind, row)
    why = f'    why: "{why}"\n' if why else ""
    return f"""\
  - name: {name}
    set:
      {system}
      model.decoder_layers: {row['layers']}
      model.d_model: {row['hidden']}
      model.d_ff: {4 * row['hidden']}
      model.heads: {row['heads']}
      model.d_head: {row['hidden'] // row['heads']}
      partition.tensor: {row['tp']}
      partition.data: {row['dp']}
      partition.pipeline: {row['pp']}
      batch.sequences: {row['global_batch']}
      batch.target_tokens: {row['seq']}
      batch.microbatch_sequences: {row['micro_batch']}
    kernel_data: extrapolated
{why}    published: {{step_time: {row['iter_ms']} ms, role: {role}, source: "{SOURCE.format(kind)}"}}
    open:{readings}
"""


def file_text(kind: str, rows: list[dict]) -> str:
    """Return the experiment file of the `kind` of rows, multi or single."""
    of_kind = [row for row in rows if row["set"] == kind]
    chosen = sample(of_kind)
    name, question = FILES[kind]
    first = chosen[0]
    header = HEADER.format(name=name, question=question, count=len(chosen), total=len(of_kind),
                           kind="multi-node" if kind == "multi" else "single-node", rule=RULES[kind],
                           system=SYSTEMS[kind], d_ff=4 * first["hidden"],
                           d_head=first["hidden"] // first["heads"],
                           **{column: first[column] for column in WHOLE_NUMBERS})
    return header + "".join(case_text(kind, row, ("fit", "predicted")[place % 2])
                            for place, row in enumerate(chosen))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    check = parser.parse_args().check
    rows = read_measured()
    for kind, (name, _) in FILES.items():
        path = HERE / f"{name}.yaml"
        text = file_text(kind, rows)
        if not check:
            path.write_text(text, encoding="utf-8")
            print(path)
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path}: not what {Path(__file__).name} writes; run it again")


if __name__ == "__main__":
    main()
