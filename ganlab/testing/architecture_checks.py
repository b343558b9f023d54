"""What every architecture must do."""

from __future__ import annotations

from typing import Any

import torch

from ganlab.contracts import DataFacts, WithEncoder, WithMotion, WithStyles
from ganlab.data.examples import IMAGES
from ganlab.data.scaling import scale, scale_input
from ganlab.evaluation.sampling import get_ready
from ganlab.randomness import Randomness, layer_draws
from ganlab.testing.examples import ExampleData, example_module
from ganlab.testing.term_checks import facts_of
from ganlab.testing.training import (
    NOT_SAVED,
    State,
    differing,
    has_batch_statistics,
    moves_with_passes,
    plain_steps,
    player_state,
    resumed,
    state_of,
    train_steps,
)
from ganlab.testing.two_ranks import train_on_two_ranks
from ganlab.training.module import GANModule


def _labels(facts: DataFacts, count: int) -> torch.Tensor | None:
    return torch.arange(count) % facts.classes if facts.classes else None


def _inputs(module: GANModule, count: int) -> dict[str, torch.Tensor]:
    """What samples are made from: the inputs of the data, and what the architecture says besides."""
    facts = module.facts
    data = ExampleData(facts)
    inputs = {name: scale_input(data.inputs[name][:count], of_input) for name, of_input in facts.inputs.items()}
    for name in module.made_from({}):
        whose = data if name == IMAGES else data.further[name]
        inputs[name] = scale(whose.images[:count], whose.facts.value_range)
    return inputs


def check_samples(name: str) -> None:
    """Samples have the data's shape, are finite and of the order of [-1, 1], and depend on their random numbers."""
    for facts in facts_of(name):
        module = example_module(name, facts).eval()
        with torch.no_grad():
            images = module.sample(Randomness(0, count=5), _labels(facts, 5), inputs=_inputs(module, 5))
            others = module.sample(Randomness(1, count=5), _labels(facts, 5), inputs=_inputs(module, 5))
        assert images.shape == (5, *facts.shape), f"sample() returns {tuple(images.shape)}, not {(5, *facts.shape)}"
        assert torch.isfinite(images).all(), "samples are not finite"
        assert images.abs().max() < 100, "samples are far outside of [-1, 1]"
        if _inputs(module, 5) and not module.draw(Randomness(0, count=5)).values.numel():
            continue  # made from inputs alone
        assert not torch.equal(images, others), "samples do not depend on their random numbers"


def check_sampled_rows(name: str) -> None:
    """Sample i is a function of the random key and of i: neither of the number of samples nor of torch's generator."""
    for facts in facts_of(name):
        module = example_module(name, facts).eval()
        random, labels, inputs = Randomness(0, count=8), _labels(facts, 8), _inputs(module, 8)
        with torch.no_grad():
            torch.manual_seed(0)
            whole = module.sample(random, labels, inputs=inputs)
            torch.manual_seed(1)
            again = module.sample(random, labels, inputs=inputs)
            assert torch.equal(whole, again), (
                "the same random key gives other samples: something draws from torch's own generator, or ignores "
                "'random'; layers take ganlab.randomness.layer_normal or ganlab.nn.Dropout"
            )
            for rows in (slice(0, 5), slice(5, 8)):
                part = None if labels is None else labels[rows]
                given = {key: value[rows] for key, value in inputs.items()}
                few = module.sample(random.slice(rows.start, rows.stop - rows.start), part, inputs=given)
                assert torch.allclose(few, whole[rows], atol=1e-4), (
                    f"samples {rows.start} to {rows.stop - 1} are others when they are made alone than among 8: draw "
                    "with the methods of 'random', and let no sample see the others"
                )


def check_generator_alone(name: str) -> None:
    """The averaged modules and the clock hold all that samples need: a generator's file makes the images of its run."""
    for facts in facts_of(name)[:1]:
        module, alone = (example_module(name, facts) for _ in range(2))
        plain_steps(module, 2)
        alone.averages.copies.load_state_dict(module.averages.copies.state_dict())
        alone.clock.load_state_dict(module.clock.state_dict())
        random, inputs = Randomness(0, count=3), _inputs(module, 3)
        for each in (module.eval(), alone.eval()):
            get_ready(each, True, {})
        with torch.no_grad():
            whole, few = (each.sample(random, _labels(facts, 3), inputs=inputs) for each in (module, alone))
        assert torch.equal(whole, few), (
            "samples need more than the modules in 'averaged': a generator.safetensors, which holds these, makes other "
            "images; put what render() uses into a module that 'averaged' names"
        )


def check_points(name: str) -> None:
    """What an architecture says of labels and styles holds: shares of one class are this class, and styles its images.

    For those that say `blends_labels`, and for those with styles (`ganlab.WithStyles`). Those with an encoder
    (`ganlab.WithEncoder`) find latents of images as they are drawn, and those whose samples move (`ganlab.WithMotion`)
    make films of images, each of its own random numbers.
    """
    for facts in facts_of(name):
        module = example_module(name, facts).eval()
        random, labels = Randomness(0, count=3), _labels(facts, 3)
        if labels is not None and module.blends_labels:
            whole = torch.nn.functional.one_hot(labels, facts.classes).float()
            for_numbers, for_shares = (_rendered(module, random, given) for given in (labels, whole))
            assert torch.allclose(for_shares, for_numbers, atol=1e-5), (
                "it says 'blends_labels', and with all of a class's share its images are others than for the class"
            )
        if isinstance(module, WithStyles):
            _check_styles(module, random, labels)
        if isinstance(module, WithEncoder):
            _check_encoder(module, random, labels)
        if isinstance(module, WithMotion):
            _check_films(module, random, facts)


def _check_films(module: Any, random: Randomness, facts: DataFacts) -> None:
    with torch.no_grad():
        films, alone = module.animate(random, 2), module.animate(random.slice(1, 1), 2)
    wanted = (3, 2, *facts.shape)
    assert films.shape == wanted, f"animate() returns {tuple(films.shape)}, not {wanted}: rows, frames and an image"
    assert torch.isfinite(films).all(), "films are not finite"
    assert torch.allclose(films[1:2], alone, atol=1e-4), "a film depends on the others that are made with it"


def _check_encoder(module: Any, random: Randomness, labels: torch.Tensor | None) -> None:
    drawn, images = module.draw(random, labels, _inputs(module, 3)).values, _rendered(module, random, labels)
    with torch.no_grad():
        found, again = (module.encode(images, labels) for _ in range(2))
    assert found.shape == drawn.shape, f"encode() returns {tuple(found.shape)}, and latents are {tuple(drawn.shape)}"
    assert torch.equal(found, again), "encode() finds other latents of the same images: it returns the mean"


def _check_styles(module: Any, random: Randomness, labels: torch.Tensor | None) -> None:
    with torch.no_grad():
        styles = module.map(module.draw(random, labels, _inputs(module, 3)))
        with layer_draws(random.scoped("layers")):
            images = module.synthesise(styles)
    layers = module.style_layers()
    assert styles.dim() == 3, f"map() returns {tuple(styles.shape)}, not (N, layers, size)"
    assert layers <= styles.shape[1], f"there are {layers} style_layers(), and map() makes {styles.shape[1]}"
    assert torch.allclose(images, _rendered(module, random, labels), atol=1e-5), (
        "synthesise(map(latents)) makes other images than render(latents)"
    )
    mean, weights = module.mean_style(), module.style_weights()
    assert mean.shape == styles.shape[2:], f"mean_style() has the shape {tuple(mean.shape)}, not (size,)"
    wrong = [tuple(weight.shape) for weight in weights if weight.dim() != 2 or weight.shape[1] != styles.shape[2]]
    assert not wrong, f"style_weights() has a matrix of the shape {wrong[0]}, not (outputs, size)"
    assert len(weights) in (0, layers), f"style_weights() has {len(weights)} matrices for {layers} style_layers()"


def _rendered(module: GANModule, random: Randomness, labels: torch.Tensor | None) -> torch.Tensor:
    with torch.no_grad():
        return module.sample(random, labels, inputs=_inputs(module, 3))


def check_micro_batches(name: str) -> None:
    """Two parts of a batch leave the same state as the whole, to rounding: it changes once an update.

    For networks without statistics over the batch or over passes only. In float64, as in `check_two_processes`.
    """
    for facts in facts_of(name)[:1]:
        whole, parts = (plain_steps(example_module(name, facts, micro_batch=size).double(), 2) for size in (None, 4))
        if has_batch_statistics(whole) or moves_with_passes(whole):
            continue
        different = _far(state_of(whole), state_of(parts))
        assert not different, (
            f"with micro-batches there is another {' and '.join(different[:3])}: state changes once an update, by "
            "ganlab.nn.RunningMean or in after_update, and terms are means over the examples"
        )


def check_players_learn_alone(name: str) -> None:
    """An update changes the parameters of its player, and of no other."""
    for facts in facts_of(name)[:1]:
        module = example_module(name, facts)
        changed: dict[str, set[str]] = {}
        update = module.update

        def watched(player: str, *arguments: object, **options: object) -> None:
            before = {other: player_state(module, other) for other in module.player_names}  # noqa: B023
            update(player, *arguments, **options)  # type: ignore[arg-type]  # noqa: B023
            after = {other: player_state(module, other) for other in module.player_names}  # noqa: B023
            changed.setdefault(player, set()).update(p for p in before if differing(before[p], after[p]))  # noqa: B023

        module.update = watched  # type: ignore[method-assign]
        plain_steps(module, 2)
        assert set(changed) == set(module.player_names), f"never updated: {set(module.player_names) - set(changed)}"
        for player, touched in changed.items():
            assert touched == {player}, f"an update of the {player} changes: {', '.join(touched) or 'nothing'}"


def check_twenty_steps(name: str) -> None:
    """After 20 steps every player has changed and everything is finite, on all data that it takes."""
    for facts in facts_of(name):
        module = example_module(name, facts)
        before = {player: player_state(module, player) for player in module.player_names}
        train_steps(module, 20)
        for player, parameters in before.items():
            assert differing(parameters, player_state(module, player)), f"the {player} does not learn"
        _check_finite(module)


def check_autocast(name: str) -> None:
    """Training under bfloat16 autocast stays finite."""
    for facts in facts_of(name)[:1]:
        _check_finite(train_steps(example_module(name, facts), 5, precision="bf16-mixed"))


def check_seeds(name: str) -> None:
    """The same seed gives the same run, to the last bit; another seed another."""
    for facts in facts_of(name)[:1]:
        first, again, other = (state_of(plain_steps(example_module(name, facts, seed), 3)) for seed in (0, 0, 1))
        assert not differing(first, again), f"not determined by the seed: {differing(first, again)[:3]}"
        assert differing(first, other), "the seed changes nothing"


def check_resume(name: str) -> None:
    """Six steps, a checkpoint, and six steps of a new module equal twelve steps, to the last bit."""
    for facts in facts_of(name)[:1]:
        module = plain_steps(example_module(name, facts), 6)
        other = resumed(module, example_module(name, facts))
        different = differing(state_of(plain_steps(module, 6)), state_of(plain_steps(other, 6)))
        assert not different, f"after 6 steps and a checkpoint, 6 more give another {different[:3]}: {NOT_SAVED}"


def check_two_processes(name: str) -> None:
    """Two processes with half a batch each stay equal, and equal one process with all of it.

    The second holds for networks without batch statistics only. In float64: Adam turns the rounding errors of a
    gradient that is nearly zero into whole steps.
    """
    for facts in facts_of(name)[:1]:
        first, second = train_on_two_ranks(name, facts, 3)
        assert not differing(first, second), f"the ranks differ: {differing(first, second)[:3]}"
        alone = train_steps(example_module(name, facts), 3, precision="64-true")
        if has_batch_statistics(alone):
            continue
        different = _far(state_of(alone), first)
        assert not different, f"{different[0]} differs between one process and two"


def _far(first: State, second: State) -> list[str]:
    """Names of the tensors that are not equal to rounding."""
    return [key for key, value in first.items() if _error(value.double(), second[key].double()) > 1e-6]


def _error(value: torch.Tensor, other: torch.Tensor) -> float:
    return float((other - value).norm() / value.norm().clamp_min(1e-12))


def _check_finite(module: GANModule) -> None:
    bad = [key for key, value in state_of(module).items() if not torch.isfinite(value).all()]
    assert not bad, f"not finite: {bad[:3]}"
