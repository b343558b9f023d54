"""Which parameters tell the best third of the trials from the others: Optuna's PED-ANOVA."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from ganlab.sweeps.names import parameter_of
from ganlab.sweeps.results import SweepResults, TrialResult

LEAST_TRIALS = 8

_GOOD = 1 / 3  # of the trials; what they have in common is what matters. Of a tenth, as is usual, too few are left here


@dataclass(frozen=True)
class Importance:
    """Shares of the parameters, largest first, which sum to 1, with a sentence on how far to trust them."""

    shares: tuple[tuple[str, float], ...]
    remark: str


def importance_of(results: SweepResults) -> Importance:
    """The importance of what trials differ in, the seed included, for the trials that have a value.

    Source: Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
    Subspaces", 2023.
    """
    trials = [trial for trial in results.trials if trial.best is not None]
    varied = [key for key in results.varied if len({str(parameter_of(trial, key)) for trial in trials}) > 1]
    seeds = sorted({trial.seed for trial in trials if trial.seed is not None})
    seeded = len(seeds) > 1
    if len(trials) < LEAST_TRIALS:
        return Importance((), f"{_trials(len(trials))} with a value: too few to tell; it takes {LEAST_TRIALS}.")
    if len(varied) + seeded < 2:
        return Importance((), "Trials differ in one parameter only, which explains everything.")
    distributions = {key: _distribution(results, trials, key) for key in varied}
    if seeded:
        distributions["seed"] = CategoricalDistribution(seeds)
    shares = _shares(trials, distributions, results.goal)
    few = ", which is few: it is a hint and no more" if len(trials) < 8 * len(distributions) else ""
    remark = f"What tells the best third of the trials from the others (PED-ANOVA), from {_trials(len(trials))}{few}."
    remark += " The share of the seed is what chance alone does." if seeded else ""
    return Importance(tuple(shares.items()), remark)


def _shares(
    trials: Sequence[TrialResult], distributions: dict[str, BaseDistribution], goal: Literal["minimize", "maximize"]
) -> dict[str, float]:
    study = optuna.create_study(direction=goal, pruner=optuna.pruners.NopPruner())
    for trial in trials:
        assert trial.best is not None
        parameters = {key: _plain(trial.seed if key == "seed" else parameter_of(trial, key)) for key in distributions}
        study.add_trial(
            optuna.trial.create_trial(params=parameters, distributions=distributions, value=trial.best.value)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental features of Optuna
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_GOOD)
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in shares.items()}


def _distribution(results: SweepResults, trials: Sequence[TrialResult], key: str) -> BaseDistribution:
    values = [parameter_of(trial, key) for trial in trials]
    kind = results.sweep.searched[key].distribution
    if kind == "categorical" or not all(isinstance(value, float | int) for value in values):
        return CategoricalDistribution(tuple(dict.fromkeys(map(_plain, values))))
    return FloatDistribution(min(values), max(values), log="log" in kind and min(values) > 0)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _trials(count: int) -> str:
    return f"{count} trial{'s' * (count != 1)}"
