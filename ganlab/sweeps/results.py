"""What became of a sweep's trials, read from its folder and storage; nothing is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from ganlab.errors import UserError
from ganlab.studies.numbers import Point
from ganlab.sweeps.file import SweepFile
from ganlab.sweeps.folder import SweepFolder, newest_run
from ganlab.sweeps.lease import LEASE, seems_held
from ganlab.sweeps.opening import open_study
from ganlab.sweeps.search import CONFIGURATION

State = Literal["running", "finished", "stopped early", "failed", "interrupted"]

_ENDS: Mapping[TrialState, State] = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "stopped early",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True)
class TrialResult:
    """One trial.

    `parameters` are all of the sweep's but `spec` and `seed`, by dotted keys. `reason` says why it failed or was
    stopped early. `run` is the newest run in its `folder`; None where there is none on this machine. `curve` is the
    target metric over images seen, `seconds` the wall clock of all `sessions`.
    """

    number: int
    configuration: int
    spec: str
    parameters: Mapping[str, Any]
    seed: int | None
    state: State
    reason: str | None
    folder: Path
    run: Path | None
    curve: tuple[Point, ...]
    best: Point | None
    last: Point | None
    seconds: float
    sessions: int


@dataclass(frozen=True)
class Group:
    """One configuration with all its seeds; mean and deviation (n - 1) are of the trials' best values."""

    spec: str
    parameters: Mapping[str, Any]
    trials: tuple[TrialResult, ...]
    mean: float | None
    deviation: float | None


@dataclass(frozen=True)
class SweepResults:
    """A sweep with its trials by number.

    `varied` are the keys that trials differ in, without the seed. `planned` is None for a search that nothing ends;
    `bands` are the iterations at which trials may be stopped early.
    """

    folder: Path
    sweep: SweepFile
    planned: int | None
    trials: tuple[TrialResult, ...]

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self.sweep.name

    @property
    def description(self) -> str | None:
        """What the file says that the sweep is for."""
        return self.sweep.keys.description

    @property
    def method(self) -> str:
        """Either grid, random or bayes."""
        return self.sweep.keys.method

    @property
    def metric(self) -> str:
        """The target's name as the file writes it."""
        return self.sweep.metric.name

    @property
    def goal(self) -> Literal["minimize", "maximize"]:
        """Whether low or high is good."""
        return self.sweep.metric.goal

    @property
    def varied(self) -> tuple[str, ...]:
        """The keys that trials differ in, without the seed."""
        return tuple(self.sweep.searched)

    @property
    def bands(self) -> tuple[int, ...]:
        """The iterations at which trials may be stopped early, up to the longest trial's."""
        longest = max((len(trial.curve) for trial in self.trials), default=0)
        return tuple(band for band in self.sweep.bands if band <= longest)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The configurations, best mean first; those without a value come last."""
        members: dict[int, list[TrialResult]] = {}
        for trial in self.trials:
            members.setdefault(trial.configuration, []).append(trial)
        sign = 1.0 if self.goal == "minimize" else -1.0
        groups = [_group(trials) for trials in members.values()]
        return tuple(sorted(groups, key=lambda group: math.inf if group.mean is None else sign * group.mean))

    @property
    def best(self) -> TrialResult | None:
        """The trial with the best value of all."""
        sign = 1.0 if self.goal == "minimize" else -1.0
        return min(
            (trial for trial in self.trials if trial.best is not None),
            key=lambda trial: sign * trial.best.value if trial.best else math.inf,
            default=None,
        )


def read_sweep(folder: str | Path, storage: str | None = None) -> SweepResults:
    """The results of the sweep in a folder; `storage` is the database's URL, where it needs a password.

    Raises `UserError` for a folder that is none, and for a database that cannot be reached.
    """
    place = SweepFolder(Path(folder).resolve())
    if not place.exists:
        raise UserError(f"'{folder}' is no sweep's folder; those are <runs>/sweeps/<name>")
    study = open_study(place, storage)
    trials = enumerate(study.trials())
    results = tuple(_result(place, number, trial) for number, trial in trials)
    return SweepResults(place.path, place.sweep, study.search.planned, results)


def _result(place: SweepFolder, number: int, trial: FrozenTrial) -> TrialResult:
    sweep, attributes = place.sweep, trial.user_attrs
    values = sweep.values(attributes["parameters"], attributes["seed"])
    spec = str(values.pop("spec", None) or sweep.specs[0])
    seed = values.pop("seed", None)
    curve = tuple(Point(moment, value) for moment, value in sorted(trial.intermediate_values.items()))
    return TrialResult(
        number=number,
        configuration=attributes[CONFIGURATION],
        spec=spec,
        parameters=values,
        seed=seed,
        state=_state(trial),
        reason=attributes.get("reason"),
        folder=place.trial(number),
        run=newest_run(place.trial(number)),
        curve=curve,
        best=best_of(curve, sweep.metric.goal),
        last=curve[-1] if curve else None,
        seconds=float(attributes.get("seconds", 0.0)),
        sessions=int(attributes["sessions"]),
    )


def best_of(curve: Sequence[Point], goal: str) -> Point | None:
    """The best point by the sweep's goal, the first of equals; None where no value is finite."""
    finite = [point for point in curve if math.isfinite(point.value)]
    return (min if goal == "minimize" else max)(finite, key=lambda point: point.value) if finite else None


def _state(trial: FrozenTrial) -> State:
    if trial.state in _ENDS:
        return _ENDS[trial.state]
    return "running" if seems_held(trial.user_attrs.get(LEASE)) else "interrupted"


def _group(trials: Sequence[TrialResult]) -> Group:
    values = [trial.best.value for trial in trials if trial.best is not None]
    mean = fmean(values) if values else None
    deviation = stdev(values) if len(values) > 1 else None
    return Group(trials[0].spec, trials[0].parameters, tuple(trials), mean, deviation)
