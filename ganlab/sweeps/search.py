"""Which configuration a trial tries: a function of the sweep's file, the trial's number and what came before."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from ganlab.sweeps.file import SweepFile
from ganlab.sweeps.parameters import IntegerRange, Parameter, QuantisedRange
from ganlab.sweeps.space import Space, dimension_of, space_of, values_of

CONFIGURATION = "configuration"
"""The attribute of a trial that numbers its configuration, which trials of other seeds share."""


@dataclass(frozen=True)
class Suggestion:
    """What a trial tries: Optuna's `chosen` values, the parameters that they mean, and the seed, if it is given."""

    configuration: int
    chosen: Mapping[str, Any]
    parameters: Mapping[str, Any]
    seed: int | None


class Search:
    """The method of a sweep. Seeds vary fastest, so that a configuration is complete before the next one begins.

    `grid` takes all combinations in the order of the file, the last parameter fastest. `random` draws by the number
    of the configuration alone. `bayes` is Optuna's TPE, which looks at all trials so far.
    """

    def __init__(self, sweep: SweepFile, seed: int = 0) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # it reports studies in memory, and each wait for a lock
        self.method = sweep.keys.method
        self.space: Space = space_of(sweep.searched)
        self.seeds = sweep.seeds
        self.planned = _planned(sweep)
        self._direction = StudyDirection.MINIMIZE if sweep.metric.goal == "minimize" else StudyDirection.MAXIMIZE
        self._points = [points_of(parameter) for parameter in sweep.searched.values()] if self.method == "grid" else []
        self._seed = seed

    def suggest(self, number: int, before: Sequence[FrozenTrial]) -> Suggestion:
        """What the trial of a number tries, given all trials with a lower one."""
        repeats = max(1, len(self.seeds))
        configuration, repeat = divmod(number, repeats)
        chosen = self._known(configuration, before) if repeat else None
        chosen = chosen or self._choose(configuration, before)
        seed = self.seeds[repeat] if self.seeds else None
        return Suggestion(configuration, chosen, values_of(self.space, chosen), seed)

    def _known(self, configuration: int, before: Sequence[FrozenTrial]) -> Mapping[str, Any] | None:
        """What was chosen for the same configuration with another seed."""
        same = (trial for trial in reversed(before) if trial.user_attrs.get(CONFIGURATION) == configuration)
        return next((trial.params for trial in same), None)

    def _choose(self, configuration: int, before: Sequence[FrozenTrial]) -> Mapping[str, Any]:
        if self.method == "grid":
            point = next(itertools.islice(itertools.product(*self._points), configuration, None))
            return dict(zip(self.space, point, strict=True))
        # A study in memory, so that a trial comes into the real one with all that belongs to it, or not at all.
        study = optuna.create_study(
            direction=self._direction, sampler=self._sampler(configuration), pruner=optuna.pruners.NopPruner()
        )
        if self.method == "bayes":
            study.add_trials(before)
        return study.ask({key: dimension.distribution for key, dimension in self.space.items()}).params

    def _sampler(self, configuration: int) -> BaseSampler:
        seed = int(np.random.SeedSequence([self._seed, configuration]).generate_state(1)[0])
        return TPESampler(seed=seed, constant_liar=True) if self.method == "bayes" else RandomSampler(seed=seed)


def points_of(parameter: Parameter) -> list[Any]:
    """What Optuna chooses from in a grid, as many as the parameter has values."""
    dimension = dimension_of(parameter)
    match parameter:
        case IntegerRange(min=low, max=high):
            return list(range(low, high + 1))
        case QuantisedRange(min=low, max=high, q=quantum):
            # numpy's arange, as W&B has it: from min in steps of q, max excluded.
            return [low + index * quantum for index in range(math.ceil((high - low) / quantum))]
        case _:
            return list(getattr(dimension.distribution, "choices", ()))


def _planned(sweep: SweepFile) -> int | None:
    """How many trials there will be; None for a search that nothing ends."""
    cap = sweep.keys.run_cap
    if sweep.keys.method != "grid":
        return cap
    size = math.prod(len(points_of(parameter)) for parameter in sweep.searched.values()) * max(1, len(sweep.seeds))
    return size if cap is None else min(size, cap)
