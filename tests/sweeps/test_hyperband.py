"""The rule of early stopping, against W&B's own on random histories."""

from __future__ import annotations

import importlib
import random
import warnings

import optuna
import pytest

from ganlab.sweeps.file import bands_from
from ganlab.sweeps.hyperband import HyperbandPruner


def test_bands_rise_from_min_iter_or_fall_from_max_iter() -> None:
    assert bands_from(3, None, None, 3)[:4] == (3, 9, 27, 81)
    assert bands_from(1, None, None, 1.5)[:5] == (1, 2, 3, 5, 7)
    assert bands_from(None, 27, 2, 3) == (3, 9)
    assert bands_from(None, 8, 5, 2) == (1, 2, 4)


def test_nothing_is_judged_before_the_first_band() -> None:
    rule = HyperbandPruner((2, 4), 2)
    assert rule.judge([9.0], [[1.0, 1.0]]) is None
    verdict = rule.judge([9.0, 9.0], [[1.0, 1.0], [2.0, 2.0]])
    assert verdict is not None
    assert (verdict.band, verdict.value, verdict.threshold, verdict.trials) == (2, 9.0, 2.0, 3)


def test_strict_looks_at_the_band_and_otherwise_at_the_best_so_far() -> None:
    values, others = [1.0, 9.0], [[5.0, 5.0], [6.0, 6.0]]
    assert HyperbandPruner((2,), 2, strict=True).judge(values, others) is not None
    assert HyperbandPruner((2,), 2, strict=False).judge(values, others) is None


def test_high_is_good_where_the_metric_is_to_be_large() -> None:
    rule = HyperbandPruner((1,), 2)
    assert rule.judge([1.0], [[5.0], [6.0]], maximize=True) is not None
    assert rule.judge([7.0], [[5.0], [6.0]], maximize=True) is None


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("section", [{"min_iter": 2, "eta": 2}, {"max_iter": 9, "s": 2, "eta": 3}], ids=str)
def test_trials_are_stopped_that_wandb_would_stop(goal: str, strict: bool, section: dict) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydantic's names
        sweeps = pytest.importorskip("sweeps", reason="W&B's rule: pip install --no-deps sweeps jsonref")
        stopping = importlib.import_module("sweeps.hyperband_stopping")
    draw = random.Random(0)
    config = {
        "method": "random",
        "metric": {"name": "m", "goal": goal},
        "early_terminate": {"type": "hyperband", "strict": strict, **section},
        "parameters": {"a": {"values": [1]}},
    }
    bands = bands_from(section.get("min_iter"), section.get("max_iter"), section.get("s"), section["eta"])
    rule = HyperbandPruner(bands, section["eta"], strict=strict)
    stopped = 0
    for _ in range(40):
        histories = [[draw.random() for _ in range(draw.randint(1, 10))] for _ in range(draw.randint(1, 9))]
        runs = [
            sweeps.SweepRun(name=str(index), state="running", history=[{"m": value} for value in history])
            for index, history in enumerate(histories)
        ]
        theirs = {int(run.name) for run in stopping.hyperband_stop_runs(runs, config)}
        ours = {
            index
            for index, history in enumerate(histories)
            if rule.judge(history, histories[:index] + histories[index + 1 :], maximize=goal == "maximize")
        }
        assert ours == theirs
        stopped += len(theirs)
    assert stopped


def test_it_is_a_pruner_of_optuna_that_counts_values_and_not_steps() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(pruner=HyperbandPruner((2,), 2))
    for value in (1.0, 2.0):
        trial = study.ask()
        for step in (4000, 8000):
            trial.report(value, step)
        study.tell(trial, value)
    bad = study.ask()
    bad.report(5.0, 4000)
    assert not bad.should_prune()
    bad.report(float("nan"), 8000)
    assert not bad.should_prune()
    bad.report(5.0, 12000)
    assert bad.should_prune()
