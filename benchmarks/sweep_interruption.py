"""A sweep of twelve trainings on two workers that is killed half way: what is lost, what is done twice, what it costs.

    python benchmarks/sweep_interruption.py --out /tmp/interruption

Kills a worker by SIGKILL when a third of the trials have ended and it has a checkpoint, everything when two thirds
have, and starts the sweep again. Then a trial that was interrupted and went to its end is trained once more without
interruption, and what was measured in both is compared byte by byte.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ganlab.sweeps.command import trial_command
from ganlab.sweeps.file import read_sweep_file
from ganlab.sweeps.folder import newest_run
from ganlab.sweeps.results import SweepResults, TrialResult, read_sweep

DONE = ("finished", "stopped early", "failed")


def main() -> None:
    """Run, kill, run again, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", type=Path, default=Path("experiments/sweeps/digits_quick.yaml"))
    parser.add_argument("--out", type=Path, required=True, help="a new folder for all runs")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "ganlab", "sweep", str(arguments.sweep), "--workers", str(arguments.workers)]
    command += ["--runs", str(arguments.out)]
    folder = arguments.out / "sweeps" / read_sweep_file(arguments.sweep).name
    wall = killed_sessions(command, folder)
    begun = time.monotonic()
    subprocess.run(command, check=True)
    wall += time.monotonic() - begun
    results = read_sweep(folder)
    tell(results, wall, arguments.workers)
    compare_with_uninterrupted(results, arguments.sweep, arguments.out / "again")


def killed_sessions(command: list[str], folder: Path) -> float:
    """Run the sweep, kill one worker, then all; how long that took."""
    begun = time.monotonic()
    with subprocess.Popen(command, start_new_session=True) as process:
        planned = wait_until(lambda: ended(folder)[0] >= ended(folder)[1] / 3 > 0, folder)
        wait_until(lambda: has_checkpoint(folder), folder)
        victim = workers_of(process.pid)[0]
        print(f"kill -9 {victim}, a worker, with {ended(folder)[0]} of {planned} trials ended", flush=True)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: ended(folder)[0] >= 2 * planned / 3, folder)
        everything = [process.pid, *below(process.pid)]
        print(f"kill -9 of all {len(everything)} processes, with {ended(folder)[0]} trials ended", flush=True)
        for pid in everything:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return time.monotonic() - begun


def wait_until(what: Callable[[], bool], folder: Path) -> int:
    """How many trials are planned, once something is so."""
    while not what():
        time.sleep(1)
    return ended(folder)[1]


def ended(folder: Path) -> tuple[int, int]:
    """How many trials have ended, and how many there will be."""
    if not (folder / "sweep.json").exists():
        return 0, 0
    results = read_sweep(folder)
    return sum(trial.state in DONE for trial in results.trials), results.planned or 0


def has_checkpoint(folder: Path) -> bool:
    """Whether each trial that runs has a checkpoint from after its start."""
    running = [trial for trial in read_sweep(folder).trials if trial.state == "running"]
    return bool(running) and all(list(trial.folder.glob("*/*/checkpoints/kimg-*.*.ckpt")) for trial in running)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def below(pid: int) -> list[int]:
    """The same with theirs."""
    return [each for child in children(pid) for each in (child, *below(child))]


def workers_of(pid: int) -> list[int]:
    """The workers that have a training under way."""
    return [child for child in children(pid) if children(child)]


def tell(results: SweepResults, wall: float, workers: int) -> None:
    """A table of the trials, the groups over seeds, and the times."""
    print("\n| trial | parameters | state | sessions | seconds | measured | best |\n|---|---|---|---|---|---|---|")
    for trial in results.trials:
        varied = ", ".join(f"{trial.parameters[key]}" for key in results.varied)
        best = f"{trial.best.value:.4g}" if trial.best else "-"
        numbers = f"{trial.sessions} | {trial.seconds:.0f} | {len(trial.curve)} | {best}"
        print(f"| {trial.number} | {varied}, seed {trial.seed} | {trial.state} | {numbers} |")
    for group in results.groups:
        print(
            json.dumps({**{k: group.parameters[k] for k in results.varied}, "mean": group.mean, "sd": group.deviation})
        )
    total = sum(trial.seconds for trial in results.trials)
    repeated = sum(map(twice, results.trials))
    print(f"\n{len(results.trials)} of {results.planned} trials; {repeated} of them were done twice, wholly or in part")
    print(
        f"wall clock {wall:.0f} s on {workers} workers, sum of the trials {total:.0f} s: {total / wall:.2f} at a time"
    )


def twice(trial: TrialResult) -> bool:
    """Whether a trial has more than one run, or a value of the metric that was measured twice."""
    runs = [path for path in trial.folder.glob("*/*") if (path / "spec.yaml").is_file()]
    moments = [point.images_seen for point in trial.curve]
    return len(runs) != 1 or len(set(moments)) < len(moments)


def compare_with_uninterrupted(results: SweepResults, file: Path, runs: Path) -> None:
    """Train a trial of several sessions that was measured to the end again, in one."""
    most = max(len(trial.curve) for trial in results.trials)
    again = next((t for t in results.trials if t.sessions > 1 and len(t.curve) == most), None)
    if again is None or again.run is None:
        print("no trial of several sessions was trained to its end: nothing to compare")
        return
    sweep = read_sweep_file(file)
    known = {key: again.parameters[key] for key in sweep.searched}
    command = trial_command(sweep.keys.command, None, sweep.values(known, again.seed), runs)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PATH": path})
    run = newest_run(runs)
    assert run is not None
    equal = (run / "metrics.jsonl").read_bytes() == (again.run / "metrics.jsonl").read_bytes()
    resumed = json.loads((again.run / "provenance.json").read_text()).get("resumed") or []
    moments = [session["images_seen"] for session in resumed]
    print(
        f"trial {again.number}, resumed at {moments} images, and one in a single session: equal measurements: {equal}"
    )


if __name__ == "__main__":
    main()
