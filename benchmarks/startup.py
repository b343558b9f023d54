"""How long the command line takes to answer, and whether it imported torch for that.

python benchmarks/startup.py [--repeats 7] [--cpu-time]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import print_table
from trainings import cpu_seconds_of_children

SPECS = sorted((Path(__file__).parents[1] / "experiments/toys").glob("*.yaml"))
QUICKSTART = Path(__file__).parents[1] / "experiments/quickstart.yaml"
ONE_STEP = ["kimg=0.001", "evaluation=null", "snapshots=null", "tracking.wandb=null", "trainer.accelerator=cpu"]


def seconds(command: list[str], cpu_time: bool) -> float:
    """Seconds of one run: wall clock, or CPU time for a machine that others use as well."""
    started = cpu_seconds_of_children() if cpu_time else time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (cpu_seconds_of_children() if cpu_time else time.perf_counter()) - started


def imports_torch(command: list[str]) -> bool:
    """Whether the process imported torch, by its own account of imports."""
    verbose = [command[0], "-X", "importtime", *command[1:]]
    report = subprocess.run(verbose, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return any(line.rsplit("|", 1)[-1].strip() == "torch" for line in report.splitlines())


def commands(folder: Path) -> dict[str, list[str]]:
    """What is measured, by name."""
    ganlab = [sys.executable, "-m", "ganlab"]
    spec = QUICKSTART.read_text()
    changed = {
        "an unknown top-level key": spec + "\nno_such_key: 1\n",
        "an unknown data set": spec.replace("  name: digits", "  name: no_such_digits"),
        "an unknown loss": spec.replace("  loss: ", "  loss: no_such_"),
    }
    checks = {}
    for number, (name, text) in enumerate(changed.items()):
        path = folder / f"{number}.yaml"
        path.write_text(text)
        checks[f"ganlab check, {name}"] = [*ganlab, "check", str(path)]
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import torch": [sys.executable, "-c", "import torch"],
        "import pytorch_lightning": [sys.executable, "-c", "import pytorch_lightning"],
        "ganlab --help": [*ganlab, "--help"],
        "ganlab plugins": [*ganlab, "plugins"],
        **checks,
        "ganlab check, a good spec": [*ganlab, "check", str(QUICKSTART)],
        f"ganlab check, {len(SPECS)} good specs": [*ganlab, "check", *map(str, SPECS)],
        "ganlab train, one step": [*ganlab, "train", str(QUICKSTART), *ONE_STEP, "--runs", str(folder)],
    }


def main() -> None:
    """Run each command in turn, so that all of them meet the same machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--cpu-time", action="store_true", help="count CPU time instead of the wall clock")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wanted = commands(Path(folder))
        torch_imported = {name: imports_torch(command) for name, command in wanted.items()}
        times: dict[str, list[float]] = {name: [] for name in wanted}
        for _ in range(arguments.repeats):
            for name, command in wanted.items():
                times[name].append(seconds(command, arguments.cpu_time))
    rows = [
        (name, statistics.median(values), min(values), "yes" if torch_imported[name] else "no")
        for name, values in times.items()
    ]
    print_table("Time to answer", ["command", "median s", "fastest s", "imports torch"], rows)


if __name__ == "__main__":
    main()
