"""vid2vid trained on small films first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ganlab_layers.multiscale import MultiscaleDiscriminator
from ganlab_objectives.lsgan import LeastSquares
from ganlab_video.generator import EXAMPLE_FACTS, FilmGenerator
from ganlab_video.vid2vid import Vid2Vid
from torch.nn.functional import interpolate

from ganlab import Randomness
from ganlab.data.reduction import reduce_images, reduce_inputs
from ganlab.run.launch import detect_launch
from ganlab.spec.model import TrainerSection
from ganlab.testing.examples import example_settings
from ganlab.testing.training import differing, plain_steps, resumed, state_of, train_steps
from ganlab.testing.two_ranks import run_on_two_ranks

FACTS = replace(EXAMPLE_FACTS, fingerprint="films")


def judge(shape, inputs):
    return MultiscaleDiscriminator(shape, inputs, width=2, layers=2)


def game(**options):
    """A game of batches of 4; after 4 of them the finer scale joins, after 6 the coarser one is free again."""
    torch.manual_seed(0)
    generator = FilmGenerator(FACTS, width=4, halvings=1, blocks=2, foreground=[1], scales=2, local_blocks=1)
    options = {"finer_kimg": [0.016], "fixed_kimg": [0.008], "film_frames": 2, "film_scales": 1, **options}
    module = Vid2Vid(generator, judge, LeastSquares(), FACTS, film_discriminator=judge, update_frames=2, **options)
    module.prepare(example_settings(module, FACTS, batch_size=4))
    return module


def coarse(module):
    """What the coarser scale has learned."""
    parts = ("stages.0.", "heads.0.", "front.0.")
    return {name: value for name, value in state_of(module.generator).items() if name.startswith(parts)}


def moved(before, after):
    """Names of the parts of a network in which something is another than before."""
    return {".".join(name.split(".")[:2]) for name in differing(before, after)}


def test_each_stage_trains_what_it_draws_with_and_begins_with_what_was_learned():
    module = game()
    start = state_of(module.generator)
    first = state_of(plain_steps(module, 4).generator)
    assert moved(start, first) == {"stages.0", "heads.0", "front.0"}
    learned = coarse(module)
    second = state_of(plain_steps(module, 2).generator)
    assert moved(first, second) == {"stages.1", "heads.1", "front.1"}
    assert not differing(learned, coarse(module))
    third = state_of(plain_steps(module, 1).generator)
    assert moved(second, third) == {"stages.0", "front.0", "stages.1", "heads.1", "front.1"}


def test_the_finest_scales_of_discriminators_join_with_that_of_the_generator():
    module = game()
    start = state_of(module.discriminator)
    first = state_of(plain_steps(module, 4).discriminator)
    assert {name.split(".")[2] for name in differing(start, first)} == {"1"}
    second = state_of(plain_steps(module, 1).discriminator)
    assert {name.split(".")[2] for name in differing(first, second)} == {"0", "1"}


def test_optimizers_forget_where_scales_join_and_the_generators_where_they_are_set_free():
    module = plain_steps(game(), 3)
    sizes = [{name: len(each.state) for name, each in module.player_optimizers.items()}]
    for _ in range(3):
        plain_steps(module, 1)
        sizes.append({name: len(each.state) for name, each in module.player_optimizers.items()})
    kept, joined, after, freed = sizes
    assert all(kept.values())
    assert joined == {"discriminator": 0, "generator": 0}
    assert all(after.values())
    assert freed["generator"] == 0
    assert freed["discriminator"] == after["discriminator"]


def test_the_coarse_network_alone_is_the_game_of_a_generator_of_one_scale():
    """Its first stage is that of a game of smaller films."""
    small = game().generator
    alone = FilmGenerator(
        replace(
            FACTS, shape=(4, 3, 8, 6), inputs={"label_map": replace(FACTS.inputs["label_map"], shape=(4, 1, 8, 6))}
        ),
        width=4,
        halvings=1,
        blocks=2,
        foreground=[1],
    )
    wanted = alone.state_dict()
    alone.load_state_dict({name: value for name, value in small.state_dict().items() if name in wanted})
    maps = torch.nn.functional.one_hot(torch.randint(3, (2, 3, 8, 6)), 3).movedim(-1, 2).float()
    frames = torch.rand(2, 2, 3, 8, 6)
    found, expected = small(maps, frames, scales=1), alone(maps, frames)
    torch.testing.assert_close(found.image, expected.image)
    torch.testing.assert_close(found.flow, expected.flow)


def test_samples_of_small_films_are_enlarged():
    module = game()
    inputs = {"label_map": torch.randint(3, (2, 5, 1, 16, 12))}
    with torch.no_grad():
        film = module.sample(Randomness(0, count=2), inputs=inputs, averaged=False)
        assert film.shape == (2, 5, 3, 16, 12)
        small = reduce_images(film, 8)
        again = interpolate(small.flatten(0, 1), scale_factor=2, mode="nearest").unflatten(0, (2, 5))
        torch.testing.assert_close(film, again)
        module.clock.advance(16)  # a finer network, which has learned nothing yet, joins in the next step
        assert torch.equal(module.sample(Randomness(0, count=2), inputs=inputs, averaged=False), film)
        module.clock.advance(4)
        assert not torch.equal(module.sample(Randomness(0, count=2), inputs=inputs, averaged=False), film)
    assert reduce_inputs(inputs, FACTS, 2)["label_map"].shape == (2, 5, 1, 8, 6)


def test_the_log_and_remarks_tell_of_scales():
    module = game()
    assert module.moments(100) == [0, 16, 24]
    assert [module.step_resolution(films) for films in (0, 15, 16)] == [8, 8, 16]
    assert module.scalars_now() == {"growth/scales": 1, "growth/resolution": 8}
    assert "the last finer scale joins at 0.016" in module.remark(16)
    assert module.remark(17) is None
    plain = game(finer_kimg=[], fixed_kimg=[])
    assert (plain.scalars_now(), plain.step_resolution(0), plain.remark(1)) == ({}, None, None)


@pytest.mark.parametrize("steps", [4, 5])
def test_a_training_that_is_interrupted_in_any_stage_goes_on_as_if_it_were_not(steps):
    straight = plain_steps(game(), 7)
    early = plain_steps(game(), steps)
    later = plain_steps(resumed(early, game()), 7 - steps)
    assert not differing(state_of(straight), state_of(later))


def trained(**arguments):
    return state_of(train_steps(game(), 7, precision="64-true", **arguments))


def save_trained_state(rank: int, folder: Path) -> None:
    arguments = detect_launch(TrainerSection(accelerator="cpu")).trainer_arguments()
    torch.save(trained(**arguments), folder / f"{rank}.pt")


@pytest.mark.slow
def test_two_processes_leave_what_one_leaves(tmp_path):
    run_on_two_ranks(save_trained_state, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert not differing(first, second)
    # Adam divides by the size of the first gradients after each of its starts, and with it the roundings of small ones.
    torch.testing.assert_close(first, trained(), rtol=1e-5, atol=1e-7)
