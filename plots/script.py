"""What the figure scripts share: reading a results file, the command line, writing the figure."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no display needed, so CI draws the same figure
import matplotlib.pyplot as plt


def read_text(path: Path) -> str:
    """Return the file's text, or leave with a message."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{path}: cannot read: {getattr(error, 'strerror', None) or error}")


def read_rows(path: Path, columns: Collection[str], numbers: Collection[str],
              may_be_empty: Collection[str] = ()) -> list[dict]:
    """Return a dictionary for each row of a CSV below its comments, in file order.

    `columns` must all be there. `numbers` become floats, or None where the cell is empty and
    `may_be_empty` names the column. Anything else that is wrong ends the program with its place.
    """
    lines = [line for line in read_text(path).splitlines(keepends=True) if not line.startswith("#")]
    reader = csv.DictReader(lines)
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        sys.exit(f"{path}: missing column(s): {', '.join(missing)}")
    rows = list(reader)
    if not rows:
        sys.exit(f"{path}: no rows below the header")
    for number, row in enumerate(rows, start=1):
        if None in row.values():
            sys.exit(f"{path}: row {number}: fewer fields than the header")
        for column in numbers:
            if not row[column] and column not in may_be_empty:
                sys.exit(f"{path}: row {number}: {column}: empty")
            try:
                row[column] = float(row[column]) if row[column] else None
            except ValueError:
                sys.exit(f"{path}: row {number}: {column}: expected a number, got \"{row[column]}\"")
    return rows


def read_json(path: Path, keys: Collection[str]) -> dict:
    """Return the document, which must have these keys, or leave with a message."""
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        sys.exit(f"{path}: no JSON: {error}")
    missing = [key for key in keys if key not in document]
    if missing:
        sys.exit(f"{path}: missing key(s): {', '.join(missing)}")
    return document


def read_cases(path: Path, keys: Collection[str]) -> list[dict]:
    """Return for each case of a results.json its name and the values under dotted `keys`.

    An item of a list is named by its "stack": "results.routing.encoder.dropped_fraction.p50".
    """
    cases = []
    for case in read_json(path, ("cases",))["cases"]:
        values = {"name": case["name"]}
        for key in keys:
            value = case
            for part in key.split("."):
                if isinstance(value, list):
                    value = next((item for item in value if item.get("stack") == part), None)
                else:
                    value = value.get(part) if isinstance(value, dict) else None
                if value is None:
                    sys.exit(f"{path}: case {case['name']}: missing key {key}")
            values[key] = value
        cases.append(values)
    if not cases:
        sys.exit(f"{path}: no cases")
    return cases


def metadata(path: Path) -> dict:
    """Return what keeps dates and versions out of the file: equal data give equal bytes."""
    return {".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
            ".png": {"Software": None},
            ".svg": {"Date": None}}.get(path.suffix, {})


def run(description: str, results: str, draw: Callable[[list[Path]], plt.Figure],
        takes_several: bool = False) -> None:
    """Draw the results files of the command line into the figure that --out names.

    `results` says in the help which file is read.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+" if takes_several else 1, help=results)
    parser.add_argument("--out", type=Path, required=True, help="figure to write (.png, .pdf, .svg)")
    args = parser.parse_args()

    plt.style.use(Path(__file__).with_name("style.mplstyle"))
    plt.rcParams["svg.hashsalt"] = "switchyard"  # element ids are random without it
    figure = draw(args.results)
    if args.out.suffix not in (".png", ".pdf", ".svg"):
        sys.exit(f"{args.out}: expected a name that ends in .png, .pdf or .svg")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, metadata=metadata(args.out))
    print(args.out)
