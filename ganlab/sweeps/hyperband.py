"""W&B's rule of early stopping: at a few moments only the best share of all trials goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Verdict:
    """Why a trial is stopped: at which band, on which value, against which threshold of how many trials."""

    band: int
    value: float
    threshold: float
    trials: int


class HyperbandPruner(BasePruner):
    """The rule of W&B's `early_terminate` (Li et al., Hyperband, JMLR 2018, as W&B simplifies it).

    A trial that has logged its metric as often as a band says is held against all trials that came so far: at that
    band the best 1/eta of them go on. The value held against the others is the one at the band (`strict`), or the best
    so far. Values count from the first; an iteration is one logged value, whatever its step.

    Args:
        bands: numbers of logged values, ascending.
        eta: the inverse of the share that goes on, above 1.
        strict: hold the value at the band against the others, and not the best so far.
    """

    def __init__(self, bands: Sequence[int], eta: float, *, strict: bool = True) -> None:
        self.bands = tuple(bands)
        self.eta = eta
        self.strict = strict

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether Optuna's trial is to be stopped."""
        others = [logged(other) for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        return self.judge(logged(trial), others, maximize=study.direction == StudyDirection.MAXIMIZE) is not None

    def judge(
        self, values: Sequence[float], others: Sequence[Sequence[float]], *, maximize: bool = False
    ) -> Verdict | None:
        """Why a trial with these values is to be stopped, given all others'; None if it goes on."""
        passed = [band for band in self.bands if band <= len(values)]
        if not passed:
            return None
        band, sign = passed[-1], -1.0 if maximize else 1.0
        at_band = sorted(sign * each[band - 1] for each in (values, *others) if len(each) >= band)
        threshold = at_band[int(len(at_band) / self.eta)]
        value = sign * values[band - 1] if self.strict else min(sign * each for each in values)
        return Verdict(band, sign * value, sign * threshold, len(at_band)) if value > threshold else None


def logged(trial: FrozenTrial) -> list[float]:
    """The finite values of a trial's metric in the order in which they were logged."""
    return [value for _, value in sorted(trial.intermediate_values.items()) if math.isfinite(value)]
