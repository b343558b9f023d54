from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ganlab_datasets.moving_digits import MovingDigits
from ganlab_objectives.lsgan import LeastSquares
from ganlab_video.clips import Clip, films
from ganlab_video.generator import EXAMPLE_FACTS, FilmGenerator, Frame
from ganlab_video.terms import features_apart, motion_terms
from ganlab_video.vid2vid import Vid2Vid
from ganlab_video.warping import warp
from torch import nn

from ganlab import Randomness, Scores, UserError
from ganlab.data.loader import StepLoader
from ganlab.testing.examples import ExampleData, example_settings
from ganlab.testing.training import differing, plain_steps, resumed, state_of

FACTS = replace(EXAMPLE_FACTS.with_frames(6), fingerprint="six frames")


class Judge(nn.Module):
    """Remembers what it has seen; its logits are sums over patches."""

    def __init__(self, shape, inputs):
        super().__init__()
        torch.manual_seed(len(shape))
        self.shape, self.inputs = shape, inputs
        self.layer = nn.LazyConv2d(2, 4, 4)
        self.seen = []

    def forward(self, images, labels=None, source=None):
        assert (source is None) == (not self.inputs)
        shown = images if source is None else torch.cat([images, source], dim=1)
        self.seen.append(images.detach().clone())
        features = self.layer(shown)
        return Scores(logits=features.sum(1), further_logits=(features.mean(1),), features=(features, features**2))


def game(facts=FACTS, film=True, generator=None, **options):
    torch.manual_seed(0)
    generator = generator or {"width": 2, "halvings": 1, "blocks": 0}
    options = {"film_frames": 2, "film_scales": 2, **options}
    module = Vid2Vid(
        FilmGenerator(facts, **generator),
        Judge,
        LeastSquares(),
        facts,
        film_discriminator=Judge if film else None,
        **options,
    )
    sides = facts.image_shape[1:]
    for judge in module.discriminator.values():
        channels = judge.shape[0] + (3 if judge.inputs else 0)
        judge(torch.zeros(1, judge.shape[0], *sides), None, torch.zeros(1, 3, *sides) if judge.inputs else None)
        assert judge.layer.weight.shape[1] == channels
        judge.seen.clear()
    with torch.no_grad():
        for parameter in module.generator.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    module.prepare(example_settings(module, facts, batch_size=4))
    return module


def first_batch(module):
    loader = StepLoader(ExampleData(module.facts), step_size=module.step_size, seed=0, frames=module.step_frames)
    return next(iter(loader)).map(module.in_order).batches(module.facts, 0)[0]


# ---------------------------------------------------------------- terms


def clip_of(facts=FACTS, before=2, new=3):
    torch.manual_seed(4)
    frames = before + new
    shape = facts.image_shape
    flows = torch.randn(2, frames, 3, *shape[1:])
    flows[:, :, 2] = (flows[:, :, 2] > 0).float()
    return Clip(
        reals=torch.randn(2, frames, *shape, dtype=torch.float64),
        made=torch.randn(2, before, *shape, dtype=torch.float64),
        maps=torch.zeros(2, 2 + new, 3, *shape[1:]),
        flows=flows.double(),
        fakes=torch.randn(2, new, *shape, dtype=torch.float64),
        raws=torch.randn(2, new, *shape, dtype=torch.float64),
    )


def test_terms_of_motion_are_means_where_motion_is_known():
    clip = clip_of()
    frames = [
        Frame(clip.fakes[:, i], clip.raws[:, i], torch.randn(2, 2, 16, 12).double(), torch.rand(2, 1, 16, 12).double())
        for i in range(3)
    ]
    terms = motion_terms(clip, frames, clip.fakes)
    assert set(terms) == {"consistency", "flow", "warping", "mask"}
    expected = dict.fromkeys(terms, 0.0)
    everything = torch.cat([clip.made, clip.fakes], dim=1)
    for i, frame in enumerate(frames):
        t = 2 + i
        known = clip.flows[:, t, 2:].numpy()
        of_flow = abs(frame.flow.numpy() - clip.flows[:, t, :2].numpy()) * known
        of_reals = abs(warp(clip.reals[:, t - 1], frame.flow).numpy() - clip.reals[:, t].numpy()) * known
        of_fakes = abs(warp(everything[:, t - 1], clip.flows[:, t, :2]).numpy() - everything[:, t].numpy()) * known
        found = {"flow": of_flow, "warping": of_reals, "consistency": of_fakes, "mask": frame.mask.numpy() * known}
        for name, value in found.items():
            expected[name] += value.mean() / 3
    for name, value in terms.items():
        assert float(value) == pytest.approx(expected[name], rel=1e-12), name


def test_the_fake_before_is_left_alone_by_the_term_of_consistency():
    clip = clip_of(before=0, new=2)
    clip.flows[:, 0] = 0
    leaves = [clip.fakes[:, i].clone().requires_grad_() for i in range(2)]
    terms = motion_terms(clip, [Frame(leaf, leaf) for leaf in leaves], torch.stack(leaves, dim=1))
    first, second = torch.autograd.grad(terms["consistency"], leaves)
    assert second.any()
    assert not first.any()


def test_matching_counts_layers_and_scales_as_the_authors_do():
    torch.manual_seed(0)
    fakes, reals = ([torch.randn(2, 3, 4, 4) for _ in range(8)] for _ in range(2))
    score = torch.zeros(2, 4, 4)
    apart = features_apart(*(Scores(logits=score, further_logits=(score,), features=each) for each in (fakes, reals)))
    layers_of_a_scale, scales = 3, 2  # 'n_layers_D' and 'num_D', with 4 layers of features
    weight = 4.0 / (layers_of_a_scale + 1) / scales
    expected = sum(weight * (fake - real).abs().mean() for fake, real in zip(fakes, reals, strict=True))
    assert torch.allclose(apart, expected)


def test_losses_are_sums_over_what_is_judged_and_over_scales():
    module = game(adversarial=2.0)
    batch = first_batch(module)
    clip = list(module._clips(batch))[3][1]
    terms = module.discriminator_terms(clip.as_batch(batch, 3))
    judge = module.discriminator["frames"]
    maps = clip.maps[:, 2:].flatten(0, 1)
    scores = [judge(images.flatten(0, 1), None, maps) for images in (clip.new_reals, clip.fakes, clip.raws)]
    expected = 0.0
    for scale in range(2):
        real, fake, raw = (score.scales[scale] for score in scores)
        for other in (fake, raw):
            expected += ((real - 1).square().mean() + other.square().mean()).item() / 2
    assert terms["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert set(terms) == {"loss", "films_1", "films_2"}
    of_generator = module.generator_terms(clip.as_batch(batch, 3))
    wanted = sum((score.scales[k] - 1).square().mean().item() for score in scores[1:] for k in range(2))
    assert of_generator["loss"].item() == pytest.approx(wanted, rel=1e-5)


def test_a_judge_of_films_sees_frames_of_its_stride_with_the_motion_between_them():
    module = game(film_frames=3, film_scales=2, update_frames=2)
    assert module.judging.films.strides == [1, 3]
    frames, flows = torch.arange(9.0).view(1, 9, 1, 1, 1).expand(1, 9, 3, 4, 4), torch.zeros(1, 9, 3, 4, 4)
    flows[:, :, 0], flows[:, :, 2] = torch.arange(9.0).view(1, 9, 1, 1), 1
    shown = films(frames, flows, end=8, length=3, stride=3, scale=20.0)
    assert shown.shape == (1, 3 * 3 + 2 * 2, 4, 4)
    assert shown[0, [0, 3, 6], 0, 0].tolist() == [2, 5, 8]
    assert torch.allclose(shown[0, 9:, 0, 0], torch.tensor([3 + 4 + 5, 0, 6 + 7 + 8, 0]) / 20)


# ---------------------------------------------------------------- films made frame by frame


def test_films_are_judged_as_soon_as_there_are_enough_frames():
    module = game(film_frames=2, film_scales=2)
    assert module.judging.films.strides == [1, 2]
    batch = first_batch(module)
    names = [set(module.discriminator_terms(clip.as_batch(batch, start))) for start, clip in module._clips(batch)]
    assert names == [{"loss"}, {"loss", "films_1"}, *[{"loss", "films_1", "films_2"}] * 4]


@pytest.mark.parametrize("through", [1, 2])
def test_gradients_go_back_through_as_many_frames_as_are_asked_for(through):
    module = game(film=False, update_frames=3, backward_frames=through)
    clip = next(module._clips(first_batch(module)))[1]
    seen = []
    own = module.generator.forward

    def watched(maps, frames, raw_only=False):
        seen.append(frames.requires_grad)
        return own(maps, frames, raw_only)

    module.generator.forward = watched
    module._made(module.generator, clip)
    assert seen == ([False] * 3 if through == 1 else [False, True, False])


@pytest.mark.parametrize("first_frame", ["made", "given"])
def test_training_and_sampling_make_the_same_films(first_frame):
    module = game(first_frame=first_frame, film=False, update_frames=2)
    batch = first_batch(module)
    pieces = [clip.fakes for _, clip in module._clips(batch)]
    made = torch.cat(pieces if first_frame == "made" else [batch.images[:, :2], *pieces], dim=1)
    inputs = {**batch.inputs, "images": batch.images}
    assert module.made_from({}) == (() if first_frame == "made" else ("images",))
    with torch.no_grad():
        sampled = module.sample(Randomness(0, count=4), inputs=inputs, averaged=False)
    assert sampled.shape == made.shape
    assert torch.allclose(sampled, made, atol=1e-5)


def test_films_are_as_long_as_their_maps():
    module = game(film=False)
    maps = torch.randint(3, (2, 11, 1, 16, 12))
    with torch.no_grad():
        film = module.sample(Randomness(0, count=2), inputs={"label_map": maps})
    assert film.shape == (2, 11, 3, 16, 12)


def test_windows_become_twice_as_long_by_the_clock():
    module = game(film=False, first_length=1, doubled_every_kimg=0.008)
    assert [module.step_frames(seen) for seen in (0, 7, 8, 16, 24, 1000)] == [1, 1, 2, 4, 6, 6]
    assert module.moments(100) == [0, 8, 16, 24]
    plain_steps(module, 4)
    assert module.clock.updates == {"discriminator": 1 + 1 + 2 + 2, "generator": 1 + 1 + 2 + 2}
    with pytest.raises(UserError, match="belong together"):
        game(first_length=2)
    with pytest.raises(UserError, match="'first_length: 9' is more than the 6 frames"):
        game(first_length=9, doubled_every_kimg=1.0)
    with pytest.raises(UserError, match="the first 2 frames are given"):
        game(first_length=2, doubled_every_kimg=1.0, first_frame="given")


def test_a_training_that_is_interrupted_between_windows_goes_on_as_if_it_were_not():
    def module():
        return game(first_length=2, doubled_every_kimg=0.008, update_frames=2)

    straight = plain_steps(module(), 5)
    early = plain_steps(module(), 3)
    later = plain_steps(resumed(early, module()), 2)
    assert not differing(state_of(straight), state_of(later))


@pytest.mark.slow
def test_known_motion_is_learned():
    """The generator's flow comes near that of the data, by its term alone."""
    facts = replace(MovingDigits(16, 3, 1, 8).facts)
    torch.manual_seed(0)
    module = Vid2Vid(
        FilmGenerator(facts, width=8, halvings=1, blocks=2),
        Judge,
        LeastSquares(),
        facts,
        adversarial=0.0,
        matching=0.0,
        flow_warping=0.0,
        consistency=0.0,
        mask=0.0,
    )
    module.discriminator["frames"](torch.zeros(1, 3, 16, 16), None, torch.zeros(1, 11, 16, 16))
    module.prepare(example_settings(module, facts, batch_size=8))
    module.configure_optimizers()
    loader = iter(StepLoader(MovingDigits(16, 3, 1, 8), step_size=module.step_size, seed=0))
    history = []
    for index in range(40):
        module.training_step(next(loader).map(module.in_order), index)
        history.append(sum(float(value) for value in module.scalars._fresh["generator/flow"][-2:]))
    assert sum(history[-5:]) < 0.5 * sum(history[:5])


def test_without_known_motion_there_are_no_terms_of_it():
    module = game(flow="none", facts=replace(FACTS, inputs={"label_map": FACTS.inputs["label_map"]}))
    assert module.discriminator["films_1"].shape == (6, 16, 12)
    batch = first_batch(module)
    assert set(module.generator_terms(batch)) == {"loss", "matching"}
    with pytest.raises(UserError, match="these data have none"):
        game(facts=replace(FACTS, inputs={"label_map": FACTS.inputs["label_map"]}))
