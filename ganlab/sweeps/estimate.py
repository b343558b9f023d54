"""How many trials a sweep has and how long they take, from what was measured before or what the user says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ganlab.studies.record import RunRecord, all_runs
from ganlab.sweeps.checking import SweepCheck


@dataclass(frozen=True)
class Pace:
    """How long a thousand images take, evaluations and start included, and how that is known."""

    seconds_per_kimg: float
    source: str


def measured_pace(check: SweepCheck, runs: Path) -> Pace | None:
    """The pace of the newest run of the varied specs' names under a folder of runs; None where there is none."""
    records = [record for name in sorted(check.names) for record in _runs_of(name, runs)]
    for record in sorted(records, key=lambda record: record.path.name, reverse=True):
        if record.seconds and record.images_seen:
            return Pace(1000 * record.seconds / record.images_seen, f"as measured in {record.path}")
    return None


def _runs_of(name: str, runs: Path) -> list[RunRecord]:
    return [record for record in all_runs(runs) if record.path.parent.name == name] if runs.is_dir() else []


def check_lines(check: SweepCheck, pace: Pace | None) -> list[str]:
    """How many trials there will be and how long they take, for people."""
    lines = [_count(check)]
    if check.kimg is None:
        lines.append("it has no run_cap, and so goes on until it is stopped")
    elif pace is None:
        names = " or ".join(sorted(check.names))
        lines.append(
            f"{check.kimg:g} kimg in all; how long they take is not known: no run of {names} tells, and 'ganlab check' "
            "was not given --seconds-per-kimg"
        )
    else:
        at_most = "at most " if check.sweep.bands else ""
        took = duration(check.kimg * pace.seconds_per_kimg)
        lines.append(
            f"{check.kimg:g} kimg in all: {at_most}about {took} one after the other, at {pace.seconds_per_kimg:.3g} s "
            f"per kimg ({pace.source})"
        )
    if check.left:
        lines.append(f"{check.left} combinations of values were resolved, but not rehearsed: there was no time")
    return lines + [f"but {note}" for note in check.notes]


def _count(check: SweepCheck) -> str:
    sweep, repeats = check.sweep, len(check.sweep.seeds)
    number = "trials without end" if check.planned is None else f"{check.planned} trials"
    seeds = f", each configuration with {repeats} seeds" if repeats > 1 else ""
    what = "all were resolved" if sweep.keys.method == "grid" else f"{check.resolved} points of its space were resolved"
    return f"{number} by {sweep.keys.method}{seeds}; {what}, {check.rehearsed} of them rehearsed"


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    if seconds < 6000:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
