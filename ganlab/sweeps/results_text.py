"""What a sweep found, as a leaderboard for the terminal and as records for programs."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from ganlab.studies.numbers import shown
from ganlab.sweeps.names import parameter_of, short_names
from ganlab.sweeps.results import Group, SweepResults, TrialResult

_LEAST_WIDTH = 40


def leaderboard(results: SweepResults, width: int) -> str:
    """Configurations, best first, in lines of at most `width` characters, below a line on the whole sweep."""
    out = io.StringIO()
    console = Console(file=out, width=max(width, _LEAST_WIDTH), color_system=None, highlight=False, markup=False)
    console.print(f"{results.name}: {states_text(results)}", soft_wrap=False)
    better = "lowest" if results.goal == "minimize" else "highest"
    seeded = bool(results.sweep.seeds)
    console.print(f"{better} {results.metric}{', mean and deviation over seeds' if seeded else ''}")
    console.print(_table(results, seeded))
    for trial in results.trials:
        if trial.state == "failed":
            console.print(f"trial {trial.number} failed: {trial.reason or 'it says nothing'}")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def states_text(results: SweepResults) -> str:
    """How many trials there are of each kind, and how long all of them took."""
    counts = Counter(trial.state for trial in results.trials)
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    planned = f" of {results.planned}" if results.planned else ""
    seconds = timedelta(seconds=round(sum(trial.seconds for trial in results.trials)))
    return f"{len(results.trials)}{planned} trials ({states or 'none has begun'}), {seconds} of training"


def records(results: SweepResults) -> dict[str, Any]:
    """Everything as plain values, configurations best first; numbers that are not finite are null."""
    return {
        "name": results.name,
        "method": results.method,
        "metric": results.metric,
        "goal": results.goal,
        "planned": results.planned,
        "configurations": [_group_record(rank, group) for rank, group in enumerate(results.groups, start=1)],
    }


def as_csv(results: SweepResults) -> str:
    """A line a trial, best configuration first."""
    keys = ["spec", *(key for key in results.varied if key != "spec"), "seed"]
    ends = ["state", "best", "best_at", "last", "iterations", "seconds", "sessions", "run"]
    out = io.StringIO()
    writer = csv.DictWriter(out, ["rank", "trial", *keys, *ends], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for rank, group in enumerate(results.groups, start=1):
        for trial in group.trials:
            writer.writerow({**trial.parameters, **_trial_record(trial), "rank": rank, "trial": trial.number})
    return out.getvalue()


def value_text(group: Group) -> str:
    """The mean of a configuration, with the deviation over seeds where there are several."""
    return shown(group.mean) + ("" if group.deviation is None else f" ± {shown(group.deviation)}")


def trials_text(group: Group) -> str:
    """The numbers of a configuration's trials, with a word on those that did not finish."""
    marks = {"finished": "", "stopped early": " stopped", "running": " running", "failed": " failed"}
    return ", ".join(f"{each.number}{marks.get(each.state, ' ' + each.state)}" for each in group.trials)


def _table(results: SweepResults, seeded: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    names = short_names(results.varied)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("mean" if seeded else "best", no_wrap=True)
    for key in results.varied:
        table.add_column(names[key], overflow="fold")
    table.add_column("trials", overflow="fold")
    for rank, group in enumerate(results.groups, start=1):
        cells = [_parameter_text(parameter_of(group, key)) for key in results.varied]
        table.add_row(str(rank), value_text(group), *cells, trials_text(group))
    return table


def _parameter_text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _group_record(rank: int, group: Group) -> dict[str, Any]:
    return {
        "rank": rank,
        "mean": group.mean,
        "deviation": group.deviation,
        "spec": group.spec,
        "parameters": dict(group.parameters),
        "trials": [{"number": trial.number, **_trial_record(trial)} for trial in group.trials],
    }


def _trial_record(trial: TrialResult) -> Mapping[str, Any]:
    return {
        "spec": trial.spec,
        "seed": trial.seed,
        "state": trial.state,
        "reason": trial.reason,
        "best": None if trial.best is None else trial.best.value,
        "best_at": None if trial.best is None else trial.best.images_seen,
        "last": None if trial.last is None or not math.isfinite(trial.last.value) else trial.last.value,
        "iterations": len(trial.curve),
        "seconds": round(trial.seconds, 1),
        "sessions": trial.sessions,
        "run": None if trial.run is None else str(trial.run),
    }
