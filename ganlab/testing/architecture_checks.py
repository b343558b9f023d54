"""What every architecture must do."""

from __future__ import annotations

import io

import torch

from ganlab.contracts import DataFacts
from ganlab.randomness import Randomness
from ganlab.testing.examples import accepted_facts, example_module
from ganlab.testing.training import differing, has_batch_statistics, player_state, state_of, train_steps
from ganlab.testing.two_ranks import train_on_two_ranks
from ganlab.training.checkpoint import module_state, restore_module
from ganlab.training.module import GANModule


def _facts_of(name: str) -> list[DataFacts]:
    return [facts for _, facts in accepted_facts(lambda facts: example_module(name, facts))]


def _labels(facts: DataFacts, count: int) -> torch.Tensor | None:
    return torch.arange(count) % facts.classes if facts.classes else None


def check_samples(name: str) -> None:
    """Samples have the data's shape, are finite and of the order of [-1, 1], and depend on their random numbers."""
    for facts in _facts_of(name):
        module = example_module(name, facts).eval()
        with torch.no_grad():
            images = module.sample(Randomness(0, count=5), _labels(facts, 5))
            others = module.sample(Randomness(1, count=5), _labels(facts, 5))
        assert images.shape == (5, *facts.shape), f"sample() returns {tuple(images.shape)}, not {(5, *facts.shape)}"
        assert torch.isfinite(images).all(), "samples are not finite"
        assert images.abs().max() < 100, "samples are far outside of [-1, 1]"
        assert not torch.equal(images, others), "samples do not depend on their random numbers"


def check_players_learn_alone(name: str) -> None:
    """An update changes the parameters of its player, and of no other."""
    for facts in _facts_of(name)[:1]:
        module = example_module(name, facts)
        changed: dict[str, set[str]] = {}
        update = module.update

        def watched(player: str, *arguments: object, **options: object) -> None:
            before = {other: player_state(module, other) for other in module.player_names}  # noqa: B023
            update(player, *arguments, **options)  # type: ignore[arg-type]  # noqa: B023
            after = {other: player_state(module, other) for other in module.player_names}  # noqa: B023
            changed.setdefault(player, set()).update(p for p in before if differing(before[p], after[p]))  # noqa: B023

        module.update = watched  # type: ignore[method-assign]
        train_steps(module, 2)
        assert set(changed) == set(module.player_names), f"never updated: {set(module.player_names) - set(changed)}"
        for player, touched in changed.items():
            assert touched == {player}, f"an update of the {player} changes: {', '.join(touched) or 'nothing'}"


def check_twenty_steps(name: str) -> None:
    """After 20 steps every player has changed and everything is finite, on all data that it takes."""
    for facts in _facts_of(name):
        module = example_module(name, facts)
        before = {player: player_state(module, player) for player in module.player_names}
        train_steps(module, 20)
        for player, parameters in before.items():
            assert differing(parameters, player_state(module, player)), f"the {player} does not learn"
        _check_finite(module)


def check_autocast(name: str) -> None:
    """Training under bfloat16 autocast stays finite."""
    for facts in _facts_of(name)[:1]:
        _check_finite(train_steps(example_module(name, facts), 5, precision="bf16-mixed"))


def check_seeds(name: str) -> None:
    """The same seed gives the same run, to the last bit; another seed another."""
    for facts in _facts_of(name)[:1]:
        first, again, other = (state_of(train_steps(example_module(name, facts, seed), 3)) for seed in (0, 0, 1))
        assert not differing(first, again), f"not determined by the seed: {differing(first, again)[:3]}"
        assert differing(first, other), "the seed changes nothing"


def check_resume(name: str) -> None:
    """Two steps, a checkpoint, and two steps of a new module equal four steps, to the last bit."""
    for facts in _facts_of(name)[:1]:
        whole = state_of(train_steps(example_module(name, facts), 4))
        file = io.BytesIO()
        torch.save(module_state(train_steps(example_module(name, facts), 2)), file)
        file.seek(0)
        resumed = example_module(name, facts, seed=0)
        restore_module(resumed, torch.load(file, weights_only=True))
        different = differing(whole, state_of(train_steps(resumed, 2)))
        assert not different, f"not restored exactly: {different[:3]}"


def check_two_processes(name: str) -> None:
    """Two processes with half a batch each stay equal, and equal one process with all of it.

    The second holds for networks without batch statistics only. In float64: Adam turns the rounding errors of a
    gradient that is nearly zero into whole steps.
    """
    for facts in _facts_of(name)[:1]:
        first, second = train_on_two_ranks(name, facts, 3)
        assert not differing(first, second), f"the ranks differ: {differing(first, second)[:3]}"
        alone = train_steps(example_module(name, facts), 3, precision="64-true")
        if has_batch_statistics(alone):
            continue
        for key, value in state_of(alone).items():
            error = (first[key].double() - value.double()).norm() / value.double().norm().clamp_min(1e-12)
            assert error < 1e-6, f"{key} differs by {error:.1e} between one process and two"


def _check_finite(module: GANModule) -> None:
    bad = [key for key, value in state_of(module).items() if not torch.isfinite(value).all()]
    assert not bad, f"not finite: {bad[:3]}"
