"""Results of a benchmark that may be stopped at any time: a line each in `results.jsonl`, and none is made twice."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any


def read_results(folder: Path) -> list[dict[str, Any]]:
    """All results so far."""
    path = folder / "results.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep_result(result: Mapping[str, Any], folder: Path) -> None:
    """Append a result to those of earlier runs, and tell it."""
    with (folder / "results.jsonl").open("a") as file:
        file.write(json.dumps(result) + "\n")
    print(json.dumps(result), file=sys.stderr, flush=True)


def parse_rows(parser: argparse.ArgumentParser, rows: Collection[str], results: Path) -> argparse.Namespace:
    """The arguments of an ablation: `rows` (all if none is named), `seeds`, `results` and `report`, with its own."""
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(rows))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=results)
    parser.add_argument("--report", action="store_true", help="run nothing, write the report only")
    arguments = parser.parse_args()
    arguments.rows = named_or_all(parser, arguments.rows, rows, "row")
    return arguments


def named_or_all(parser: argparse.ArgumentParser, names: list[str], there: Collection[str], what: str) -> list[str]:
    """The names that were given, or all where none was; the program ends at one that there is not."""
    if unknown := set(names) - set(there):
        parser.error(f"no such {what}: {', '.join(sorted(unknown))}; there are {', '.join(there)}")
    return names or list(there)


def missing_rows(arguments: argparse.Namespace) -> list[tuple[str, int]]:
    """The rows and seeds that are asked for and have no result yet; none where only the report is."""
    if arguments.report:
        return []
    done = {(result["row"], result["seed"]) for result in read_results(arguments.results)}
    wanted = [(row, seed) for seed in arguments.seeds for row in arguments.rows]
    return [pair for pair in wanted if pair not in done]
