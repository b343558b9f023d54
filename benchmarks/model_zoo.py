"""Trains a small spec of each family, draws its curves, and writes the figures into docs/model-zoo.md.

    python benchmarks/model_zoo.py [dcgan r3gan] [--runs FOLDER] [--report]

One training after another, each with one thread and the seed of its spec. A training that is whole is not run again, so
that the benchmark may be stopped at any time; one that was interrupted starts anew, because its CPU time is a result.
At the end, or at once with `--report`, it writes the pictures and figures of all that are whole.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from model_zoo_entries import ENTRIES, Entry
from model_zoo_page import Trained, draw, filled, section, table
from report import describe_machine
from results import named_or_all
from trainings import train_by_command

from ganlab.studies.record import RunRecord
from ganlab.studies.state import state_of

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def main() -> None:
    """Train what is missing, and write what is whole."""
    arguments = _arguments()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name in [] if arguments.report else arguments.names:
        if whole(name, ENTRIES[name], arguments.runs) is None:
            train(name, ENTRIES[name], arguments.runs)
    write(arguments.runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ENTRIES))
    parser.add_argument("--runs", type=Path, default=ROOT / "runs/model-zoo", help="where runs are and are looked for")
    parser.add_argument("--report", action="store_true", help="train nothing, draw and write only")
    arguments = parser.parse_args()
    arguments.names = named_or_all(parser, arguments.names, ENTRIES, "training")
    return arguments


def whole(name: str, entry: Entry, runs: Path) -> Trained | None:
    """The training of an entry, if there is one that came to its end with the entry's spec and overrides."""
    record = runs / f"{name}.json"
    if not record.exists():
        return None
    kept = json.loads(record.read_text())
    run = runs / kept["run"]
    if kept["asked"] != asked(entry) or not run.is_dir() or state_of(RunRecord(run)).word != "finished":
        return None
    return Trained(entry, run, kept["cpu_seconds"])


def asked(entry: Entry) -> list[str]:
    """The words after `ganlab train`."""
    return [f"experiments/{entry.spec}", *entry.overrides]


def train(name: str, entry: Entry, runs: Path) -> None:
    """Train as a user does, and keep where the run is and its CPU time; ends the program where it fails."""
    quiet = ["tracking.wandb=null", "tracking.progress=false"]
    training = train_by_command(name, [*asked(entry), *quiet], runs.resolve(), ROOT)
    keep(name, entry, runs, training.run, training.cpu_seconds)


def keep(name: str, entry: Entry, runs: Path, run: Path, cpu_seconds: float) -> None:
    """Write down that a training is whole."""
    record = {"run": str(run.relative_to(runs.resolve())), "asked": asked(entry), "cpu_seconds": cpu_seconds}
    (runs / f"{name}.json").write_text(json.dumps(record) + "\n")
    print(f"{name}: {cpu_seconds / 60:.1f} CPU minutes", file=sys.stderr, flush=True)


def write(runs: Path, docs: Path = DOCS) -> None:
    """The pictures of all that are whole, and their parts of the page."""
    trained = {name: one for name, entry in ENTRIES.items() if (one := whole(name, entry, runs))}
    for name, one in trained.items():
        draw(one, docs / f"images/zoo-{name}.png")
    parts = {name: section(name, one) for name, one in trained.items()}
    page = docs / "model-zoo.md"
    page.write_text(filled(page.read_text(), {"table": table(trained.values(), describe_machine(1)), **parts}))


if __name__ == "__main__":
    main()
