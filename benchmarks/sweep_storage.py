"""How many trials a second a sweep's storage takes: workers that claim, report and finish, and train nothing.

    python benchmarks/sweep_storage.py --out /tmp/storage [--storage postgresql://...] [--workers 1 8 32]

Each trial costs what a real one does: a claim, some values of the metric, a sign of life, and an end. Real trials take
minutes, so that the figure says how many workers a storage bears: trials a second times the length of a trial.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path

from ganlab.sweeps.file import read_sweep_file
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.opening import begin_study
from ganlab.sweeps.results import read_sweep
from ganlab.sweeps.storage import shown

VALUES = 5
METHOD = "random"

WORKER = """
import sys, time
from pathlib import Path
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.opening import open_study
study = open_study(SweepFolder(Path(sys.argv[1])), sys.argv[2] or None, 600.0)
print("ready", flush=True)
sys.stdin.readline()
longest, done = 0.0, 0
while True:
    begun = time.monotonic()
    claim = study.claim()
    longest = max(longest, time.monotonic() - begun)
    if claim is None:
        break
    for step in range({values}):
        study.report(claim, [(1000 * (step + 1), 1.0 / (step + 1))])
    claim = study.renew(claim)
    study.finish(claim, "finished", 0.2, None, 1.0)
    done += 1
print(done, longest, flush=True)
"""


def main() -> None:
    """A row for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--storage", default=None, help="a database's URL; else the journal")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--method", choices=("random", "bayes"), default=METHOD)
    arguments = parser.parse_args()
    where = "PostgreSQL" if arguments.storage else "journal"
    print(f"| {where}, {arguments.method} | trials/s | longest claim (s) | trials | seconds |\n|---|---|---|---|---|")
    for workers in arguments.workers:
        row = measure(arguments.out / str(workers), arguments.storage, workers, arguments.trials, arguments.method)
        print("| " + " | ".join(row) + " |", flush=True)


def measure(out: Path, storage: str | None, workers: int, trials: int, method: str) -> list[str]:
    """Begin a sweep, let the workers finish it, and see that no trial is missing."""
    out.mkdir(parents=True)
    name = f"storage-{uuid.uuid4().hex[:8]}"
    content = {
        "name": name,
        "method": method,
        "run_cap": trials,
        "metric": {"name": "metrics/score"},
        "command": ["true", "spec.yaml", "${args}"],
        "parameters": {"a": {"min": 0.0, "max": 1.0}, "b": {"values": ["x", "y", "z"]}},
    }
    (out / "sweep.yaml").write_text(json.dumps(content))
    place = SweepFolder(out / name)
    record = {
        "name": name,
        "storage": storage and shown(storage),
        "working_directory": ".",
        "search_seed": 0,
        "specs": {},
    }
    begin_study(place, read_sweep_file(out / "sweep.yaml"), record, storage, 600.0)
    command = [sys.executable, "-c", WORKER.replace("{values}", str(VALUES)), str(place.path), storage or ""]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(workers)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    begun = time.monotonic()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.stdout.readline().split() for process in processes]
    took = time.monotonic() - begun
    for process in processes:
        assert process.wait() == 0
    states = [trial.state for trial in read_sweep(place.path, storage).trials]
    assert states == ["finished"] * trials, "a trial was lost or came twice"
    assert sum(int(done) for done, _ in told) == trials
    longest = max(float(longest) for _, longest in told)
    return [f"{workers} workers", f"{trials / took:.1f}", f"{longest:.2f}", str(trials), f"{took:.1f}"]


if __name__ == "__main__":
    main()
