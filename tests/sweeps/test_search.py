from __future__ import annotations

import itertools

import numpy as np
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from ganlab.sweeps.search import CONFIGURATION, Search
from tests.sweeps.files import parameters, sweep_file


def done(search: Search, number: int, before: list[FrozenTrial], value: float) -> FrozenTrial:
    """The trial of a number as it will stand in the storage, finished."""
    suggestion = search.suggest(number, before)
    return create_trial(
        state=TrialState.COMPLETE,
        value=value,
        params=dict(suggestion.chosen),
        distributions={key: dimension.distribution for key, dimension in search.space.items()},
        user_attrs={CONFIGURATION: suggestion.configuration},
    )


def test_a_grid_has_each_combination_once_with_each_seed(tmp_path) -> None:
    sweep = sweep_file(
        tmp_path,
        """\
        method: grid
        parameters:
          a: {values: [x, y]}
          fixed: {value: 7}
          seed: {values: [4, 5]}
          b: {min: 1, max: 3}
          c: {distribution: q_uniform, min: 0.0, max: 1.0, q: 0.5}
        """,
    )
    search = Search(sweep)
    assert search.planned == 2 * 3 * 2 * 2
    found = [search.suggest(number, []) for number in range(search.planned)]
    combinations = [(*each.parameters.values(), each.seed) for each in found]
    assert combinations == list(itertools.product("xy", (1, 2, 3), (0.0, 0.5), (4, 5)))
    assert [each.configuration for each in found] == [number // 2 for number in range(24)]


def test_run_cap_counts_trials_with_their_seeds(tmp_path) -> None:
    assert Search(parameters(tmp_path, "grid", a={"values": [1, 2]}, seed={"values": [0, 1]})).planned == 4
    assert Search(parameters(tmp_path, "grid", a={"min": 1, "max": 99})).planned == 20
    assert Search(parameters(tmp_path, "random", a={"min": 1, "max": 99})).planned == 20
    assert Search(sweep_file(tmp_path, "method: random\nparameters: {a: {min: 1, max: 9}}\n")).planned is None


def test_random_draws_by_number_alone_and_seeds_share_a_draw(tmp_path) -> None:
    sweep = parameters(
        tmp_path, "random", a={"min": 0.0, "max": 1.0}, b={"values": ["x", "y"]}, seed={"values": [7, 8]}
    )
    first, second = Search(sweep), Search(sweep)
    found = [first.suggest(number, []) for number in range(20)]
    assert found == [second.suggest(number, []) for number in range(20)]
    assert found[4].parameters == found[5].parameters
    assert [each.seed for each in found[:4]] == [7, 8, 7, 8]
    assert len({each.parameters["a"] for each in found}) == 10
    assert [Search(sweep, 1).suggest(number, []) for number in range(20)] != found


def test_random_draws_are_spread_as_the_distribution_says(tmp_path) -> None:
    search = Search(parameters(tmp_path, "random", a={"distribution": "log_uniform_values", "min": 0.01, "max": 100}))
    drawn = [search.suggest(number, []).parameters["a"] for number in range(400)]
    assert abs(np.log10(drawn).mean()) < 0.2
    assert -2 <= np.log10(drawn).min() < -1.8


def test_bayes_finds_a_minimum_that_random_draws_miss(tmp_path) -> None:
    space = {"a": {"min": -1.0, "max": 1.0}, "b": {"min": -1.0, "max": 1.0}}

    def distance(method: str) -> float:
        search = Search(parameters(tmp_path, method, **space))
        trials: list[FrozenTrial] = []
        for number in range(40):
            chosen = search.suggest(number, trials).chosen
            trials.append(done(search, number, trials, (chosen["a"] - 0.7) ** 2 + (chosen["b"] + 0.3) ** 2))
        return float(np.mean([trial.value for trial in trials[-15:]]))

    assert distance("bayes") < 0.25 * distance("random")


def test_bayes_repeats_a_choice_with_each_seed_and_looks_at_trials_that_run(tmp_path) -> None:
    search = Search(parameters(tmp_path, "bayes", a={"min": -1.0, "max": 1.0}, seed={"values": [0, 1, 2]}))
    trials: list[FrozenTrial] = []
    for number in range(30):
        trials.append(done(search, number, trials, 1.0))
    running = create_trial(
        state=TrialState.RUNNING,
        params={"a": 0.5},
        distributions={"a": FloatDistribution(-1, 1)},
        user_attrs={CONFIGURATION: 10},
    )
    again = search.suggest(31, [*trials, running])
    assert (again.configuration, again.chosen, again.seed) == (10, {"a": 0.5}, 1)
    assert search.suggest(33, [*trials, running]).chosen != {"a": 0.5}
