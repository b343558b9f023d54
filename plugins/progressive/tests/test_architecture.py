"""Growth in training: what each step sees, and that nothing but the images seen decides it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import yaml

from ganlab.build import rehearse
from ganlab.data.loader import StepLoader
from ganlab.errors import SpecError, UserError
from ganlab.games.growing import fade_images
from ganlab.games.growth import Stage
from ganlab.randomness import Randomness
from ganlab.spec import read_spec
from ganlab.testing.examples import EXAMPLE_FACTS, ExampleData, example_module
from ganlab.testing.training import differing, state_of, train_steps
from ganlab.training.checkpoint import module_state, restore_module

GREY, COLOUR = EXAMPLE_FACTS["grey images"], EXAMPLE_FACTS["images with classes"]
NODE = {
    "name": "progressive",
    "generator": {"name": "progressive", "latent_size": 8, "fmap_base": 32, "fmap_max": 8},
    "discriminator": {"name": "progressive", "fmap_base": 32, "fmap_max": 8},
    "loss": "wgan_gp",
    "fade_kimg": 0.04,
    "stabilise_kimg": 0.024,
    "learning_rates": {8: 2e-3},
    "batch_sizes": {8: 12, 16: 4},
}
SPEC = {
    "name": "growing",
    "kimg": 0.18,
    "data": {"name": "digits", "resolution": 16, "batch_size": 8},
    "architecture": NODE,
    "optimizers": {
        player: {"name": "adam", "lr": 1e-3, "betas": [0.0, 0.99]} for player in ("generator", "discriminator")
    },
    "trainer": {"accelerator": "cpu"},
    "snapshots": None,
}


@pytest.fixture
def module(monkeypatch):
    return lambda facts=GREY, seed=0, **changes: _module(monkeypatch, facts, seed, changes)


def _module(monkeypatch, facts, seed, changes):
    from ganlab_progressive.architecture import ProgressiveGAN

    monkeypatch.setattr(ProgressiveGAN, "example", NODE | changes)
    return example_module("progressive", facts, seed)


# 24 images of 4x4, then 40 + 24 at 8x8 in batches of 12, then 16x16 in batches of 4.
EXPECTED = [
    (0, 4, 1.0, 8, 1e-3),
    (8, 4, 1.0, 8, 1e-3),
    (16, 4, 1.0, 8, 1e-3),
    (24, 8, 0.0, 12, 2e-3),
    (36, 8, 0.3, 12, 2e-3),
    (48, 8, 0.6, 12, 2e-3),
    (60, 8, 0.9, 12, 2e-3),
    (72, 8, 1.0, 12, 2e-3),
    (84, 8, 1.0, 12, 2e-3),
    (96, 16, 0.2, 4, 1e-3),
    (100, 16, 0.3, 4, 1e-3),
]


def test_every_step_has_its_stage_batch_and_rate(module):
    gan, seen = module(), []
    terms = gan.discriminator_terms

    def watched(batch):
        stage, rates = gan.stage, {group["lr"] for o in gan.player_optimizers.values() for group in o.param_groups}
        assert gan.at_stage(batch).images.shape == (len(batch), 1, stage.resolution, stage.resolution)
        seen.append((gan.clock.images_seen, stage.resolution, stage.blend, len(batch), *rates))
        return terms(batch)

    gan.discriminator_terms = watched
    train_steps(gan, 13)
    assert [(*row[:2], round(row[2], 9), *row[3:]) for row in seen] == EXPECTED


def test_learning_rates_may_differ_by_player(module):
    gan = module(learning_rates={4: {"generator": 3e-3}})
    train_steps(gan, 1)
    rates = {player: optimizer.param_groups[0]["lr"] for player, optimizer in gan.player_optimizers.items()}
    assert rates == {"generator": 3e-3, "discriminator": 1e-3}
    with pytest.raises(UserError, match="entry for 'generater' at 8.*generator"):
        module(learning_rates={8: {"generater": 1e-3}})


@pytest.mark.parametrize("ranks", [1, 2])
def test_boundaries_do_not_depend_on_the_ranks(module, ranks):
    gan = module()
    loaders = [
        iter(StepLoader(ExampleData(GREY), seed=0, step_size=gan.step_size, rank=rank, world_size=ranks))
        for rank in range(ranks)
    ]
    for images_seen, _, _, batch_size, _ in EXPECTED:
        steps = [next(loader) for loader in loaders]
        assert {step.images_seen for step in steps} == {images_seen}
        assert sum(len(step.images) for step in steps) == batch_size


def test_resume_in_the_middle_of_a_fade_and_at_its_ends_is_exact(module):
    whole = train_steps(module(), 12)
    assert whole.clock.images_seen == 96
    for stop in (24, 48, 72):
        _check_resumed_at(stop, module, whole)


def _check_resumed_at(stop, module, whole):
    part = train_steps(module(), stop // 8)
    assert part.clock.images_seen == stop
    file = io.BytesIO()
    torch.save(module_state(part), file)
    file.seek(0)
    again = module()
    restore_module(again, torch.load(file, weights_only=True))
    train_steps(again, (96 - stop) // 12)
    assert not differing(state_of(whole), state_of(again)), f"after {stop} images"
    for player, optimizer in whole.player_optimizers.items():
        ours, theirs = optimizer.state_dict()["state"], again.player_optimizers[player].state_dict()["state"]
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[k][name], theirs[k][name]) for k in ours for name in ours[k])


@pytest.mark.parametrize("reset", [True, False])
def test_optimizers_forget_when_layers_join_or_leave(module, reset):
    gan, counts = module(reset_optimizers=reset), []
    bias = gan.generator.blocks["4"][0].operation.map_bias
    for _ in range(9):
        train_steps(gan, 1) if not gan.player_optimizers else _one_more(gan)
        state = gan.player_optimizers["generator"].state.get(bias, {})
        counts.append(int(state.get("step", 0)))
    # The third step ends at 24 images, where the fade starts; the seventh at 72, behind its end.
    assert counts == ([1, 2, 0, 1, 2, 3, 0, 1, 0] if reset else list(range(1, 10)))


def _one_more(gan):
    """A step without a new trainer, which would make new optimizers."""
    loader = StepLoader(ExampleData(gan.facts), seed=0, step_size=gan.step_size)
    loader.restart(gan.clock.position, gan.clock.images_seen)
    gan.training_step(next(iter(loader)), 0)


def test_unused_parameters_are_left_alone(module):
    gan = module()
    before = state_of(gan)
    train_steps(gan, 3)
    changed = {name for name in differing(before, state_of(gan)) if not name.startswith("averages")}
    assert changed
    assert all(".4." in name or "head" in name for name in changed)
    others = [p for name, p in gan.named_parameters() if ".16." in name and p.requires_grad]
    assert others
    assert all(parameter.grad is None for parameter in others)


def test_samples_have_the_size_of_the_data_at_every_stage(module):
    gan = module().eval()
    for images_seen, size in ((0, 4), (30, 8), (80, 8), (1000, 16)):
        gan.clock.images_seen = images_seen
        with torch.no_grad():
            images = gan.sample(Randomness(0, count=3))
        assert images.shape == (3, 1, 16, 16)
        blocks = images.unfold(2, 16 // size, 16 // size).unfold(3, 16 // size, 16 // size).flatten(4)
        assert torch.equal(blocks.amax(4), blocks.amin(4))


def test_reals_are_faded_as_fakes_are():
    images = torch.arange(16.0).view(1, 1, 4, 4)
    coarse = torch.tensor([[2.5, 4.5], [10.5, 12.5]])
    assert torch.equal(fade_images(images, Stage(2))[0, 0], coarse)
    enlarged = coarse.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(fade_images(images, Stage(4, 0.0))[0, 0], enlarged)
    torch.testing.assert_close(fade_images(images, Stage(4, 0.25))[0, 0], 0.75 * enlarged + 0.25 * images[0, 0])
    assert torch.equal(fade_images(images, Stage(4)), images)


def test_the_average_has_its_half_life_in_images_across_stages(module):
    gan = module()
    gan.averages.half_life_kimg, gan.averages.ramp_up = 0.04, None
    history = [(0, state_of(gan.generator))]
    for _ in range(11):
        train_steps(gan, 1) if not gan.player_optimizers else _one_more(gan)
        history.append((gan.clock.images_seen, state_of(gan.generator)))
    assert [b - a for (a, _), (b, _) in pairwise(history)] == [row[3] for row in EXPECTED]
    end = gan.clock.images_seen
    kept = [0.5 ** ((end - seen) / 40) for seen, _ in history]
    shares = [kept[0], *(late - early for early, late in pairwise(kept))]
    for name, average in gan.averaged_model("generator").named_parameters():
        expected = sum(share * state[name].double() for share, (_, state) in zip(shares, history, strict=True))
        torch.testing.assert_close(average.double(), expected, rtol=1e-5, atol=1e-6)


def test_no_growth_trains_everything_from_the_start(module):
    gan = module(growth="none")
    assert gan.stage == Stage(16, 1.0, 4)
    before = state_of(gan)
    train_steps(gan, 2)
    changed = differing(before, state_of(gan))
    assert any("blocks.16" in name for name in changed)
    assert not any("rgb.8" in name for name in changed)


def test_labels_are_classified_by_both_players(module):
    gan = train_steps(module(COLOUR), 5)
    logged = gan.scalars.reduce()
    assert {"discriminator/classification", "generator/classification"} <= logged.keys()
    assert 0 < logged["generator/classification"] < 3
    silent = train_steps(module(COLOUR, classification=0.0), 5)
    assert differing(state_of(gan), state_of(silent))


def test_classification_is_the_cross_entropy_of_reals_and_fakes(module):
    gan, counted = module(COLOUR), []
    discriminate = gan.discriminator.forward
    gan.discriminator.forward = lambda *arguments: counted.append(discriminate(*arguments)) or counted[-1]
    (batch,) = next(iter(StepLoader(ExampleData(COLOUR), seed=0, step_size=gan.step_size))).batches(COLOUR, 0)
    term = gan.discriminator_terms(batch)["classification"]
    classes = [scores.class_scores for scores in counted[:2]]  # the third pass is the gradient penalty's
    entropies = [-each.log_softmax(1)[torch.arange(8), batch.labels].mean() for each in classes]
    torch.testing.assert_close(term, sum(entropies))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"start_resolution": 32}, "architecture: 'start_resolution' 32 is above the data's resolution 16"),
        ({"fade_kimg": {8: 1}}, "architecture: 'fade_kimg' is too short: it has no entry for 16"),
        ({"batch_sizes": {9: 4}}, "architecture: 'batch_sizes' has an entry for 9"),
        ({"growth": "none", "batch_sizes": {9: 4}}, "architecture: 'batch_sizes' has an entry for 9"),
        ({"discriminator": {"name": "progressive", "normalizer": "equalized"}}, "set 'equalized: false'"),
    ],
)
def test_contradictory_growth_is_refused_with_its_key(module, changes, sentence):
    with pytest.raises(SpecError, match=sentence):
        module(**changes)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("start_resolution=2", "architecture.start_resolution: needs an integer of at least 4, not 2"),
        ("fade_kimg=[1, 2]", "architecture.fade_kimg: needs a number of at least 0 or a mapping"),
        ("fade_kimg={8: -1, 16: 1}", "architecture.fade_kimg: needs a number of at least 0 or a mapping"),
        ("batch_sizes={8: 0}", "architecture.batch_sizes: needs a mapping of an integer to an integer of at least 1"),
        ("learning_rates={8: 0}", "architecture.learning_rates: needs a mapping of an integer to a number above 0"),
        ("classification=-1", "architecture.classification: needs a number of at least 0"),
        ("generator.fmap_max=0", "architecture.generator.fmap_max: needs an integer of at least 1, not 0"),
        ("generator.latent_size=0", "architecture.generator.latent_size: needs an integer of at least 1, not 0"),
        ("discriminator.noise=-1", "architecture.discriminator.noise: needs a number of at least 0, not -1"),
    ],
)
def test_values_out_of_range_are_refused_with_their_key(tmp_path, override, sentence):
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(SPEC))
    with pytest.raises(SpecError, match=sentence):
        read_spec(path, [f"architecture.{override}"])


def test_batches_that_the_ranks_cannot_share_are_refused_before_training(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(SPEC))
    assert rehearse(read_spec(path, [])) is None
    assert "ends at 0.1 kimg, at 16 pixels, and the growth to 16 takes 0.128" in rehearse(read_spec(path, ["kimg=0.1"]))
    assert rehearse(read_spec(path, ["kimg=0.1", "architecture.growth=none"])) is None
    with pytest.raises(UserError, match=r"architecture.batch_sizes.16: 3 images cannot be shared equally by 2"):
        rehearse(read_spec(path, ["trainer.devices=2", "architecture.batch_sizes={8: 12, 16: 3}"]))


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_resume_in_the_middle_of_a_fade_from_the_command_line(tmp_path, devices):
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(SPEC | {"trainer": {"accelerator": "cpu", "devices": devices}}))

    def train(*arguments):
        command = [sys.executable, "-m", "ganlab", "train", path, *arguments]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        run = Path(done.stdout.strip().splitlines()[-1])
        return run, torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)

    _, whole = train("--runs", tmp_path / "whole")
    _, part = train("kimg=0.05", "--runs", tmp_path / "part")
    assert part["clock"]["images_seen"] == 60  # at a blend of 0.9
    run, again = train("--resume", "--runs", tmp_path / "part")
    assert again["clock"] == whole["clock"]
    assert not differing(whole["module"], again["module"])
    assert json.loads((run / "log.jsonl").read_text().splitlines()[-1])["images_seen"] == again["clock"]["images_seen"]


def test_least_squares_with_noise(module):
    discriminator = NODE["discriminator"] | {"noise": 0.2}
    gan = train_steps(module(loss="lsgan", discriminator=discriminator), 4)
    assert gan.discriminator.noise.average.updates == 4
    assert 0 <= gan.discriminator.noise.average.current() <= 1
    again = train_steps(module(loss="lsgan", discriminator=discriminator), 4)
    assert not differing(state_of(gan), state_of(again))
