"""Stages against a table written by hand, and schedules that contradict themselves."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d

from ganlab.errors import UserError
from ganlab.games.growing import GrowingGAN, enlarge, fade_images
from ganlab.games.growth import Stage, fixed, plan
from tests.tiny import Logistic, TinyDiscriminator, TinyGenerator


def test_published_schedule() -> None:
    growth = plan(4, 1024, 800.0, 800.0, {256: 14, 512: 6, 1024: 3}, {1024: 1.5e-3})
    table = {
        0: Stage(4),
        799_999: Stage(4),
        800_000: Stage(8, 0.0),
        1_200_000: Stage(8, 0.5),
        1_600_000: Stage(8),
        2_399_999: Stage(8),
        2_400_000: Stage(16, 0.0),
        # The sixth growth begins at 800 + 5 * 1600 kimg; batch size and rate are those of the finer resolution.
        8_799_999: Stage(128),
        8_800_000: Stage(256, 0.0, 14),
        9_200_000: Stage(256, 0.5, 14),
        10_400_000: Stage(512, 0.0, 6),
        12_000_000: Stage(1024, 0.0, 3, 1.5e-3),
        12_800_000: Stage(1024, 1.0, 3, 1.5e-3),
        99_000_000: Stage(1024, 1.0, 3, 1.5e-3),
    }
    for images_seen, stage in table.items():
        assert growth.stage(images_seen) == stage, images_seen


def test_blend_is_linear_between_exact_boundaries() -> None:
    growth = plan(4, 32, 0.024, 0.032, {}, {})  # 32 alone, then 24 + 32 for each resolution
    for images_seen in range(300):
        since, resolution = images_seen - 32, 4
        while since >= 0 and resolution < 32:
            resolution *= 2
            since -= 56
        blend = 1.0 if resolution == 4 else min((since + 56) / 24, 1.0)
        assert growth.stage(images_seen) == Stage(resolution, blend)


def test_one_length_for_each_resolution() -> None:
    growth = plan(4, 16, {8: 1, 16: 2}, {4: 3, 8: 4, 64: 9}, {}, {})
    stages = [growth.stage(kimg * 1000) for kimg in (2.5, 3.5, 4, 7.5, 9, 10)]
    assert stages == [Stage(4), Stage(8, 0.5), Stage(8), Stage(8), Stage(16, 0.5), Stage(16)]


def test_without_fades_stages_jump() -> None:
    growth = plan(8, 32, 0.0, {8: 0, 16: 1}, {}, {})
    assert [growth.stage(images) for images in (0, 999, 1000)] == [Stage(16), Stage(16), Stage(32)]


def test_learning_rates_by_player() -> None:
    stage = plan(4, 8, 1.0, 1.0, {}, {8: {"generator": 0.5}}).stage(1500)
    assert (stage.rate_of("generator"), stage.rate_of("discriminator")) == (0.5, None)
    assert Stage(4, 1.0, None, 0.25).rate_of("generator") == 0.25
    assert Stage(4).rate_of("generator") is None


def test_entries_below_the_start_wait_for_another_growth() -> None:
    assert plan(8, 16, 1.0, 1.0, {4: 32, 16: 8}, {}).stage(0) == Stage(8)
    with pytest.raises(UserError, match="entry for 6"):
        plan(8, 16, 1.0, 1.0, {6: 32}, {})


def test_no_growth() -> None:
    growth = fixed(64, {64: 8, 32: 16, 128: 4}, {})
    assert growth.stage(0) == growth.stage(10**9) == Stage(64, 1.0, 8)
    with pytest.raises(UserError, match="'batch_sizes' has an entry for 48"):
        fixed(64, {48: 8}, {})


@pytest.mark.parametrize("fade", [0.0, 0.3])
def test_the_growth_is_complete_when_the_last_fade_ends(fade: float) -> None:
    growth = plan(4, 32, fade, {4: 0.1, 8: 0.2, 16: 0.4}, {}, {})
    assert growth.complete_at == 700 + 3 * 1000 * fade
    assert growth.stage(growth.complete_at) == Stage(32)
    assert growth.stage(growth.complete_at - 1) != Stage(32)
    assert fixed(32, {}, {}).complete_at == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"start": 32}, "'start_resolution' 32 is above the data's resolution 16; choose one of 4, 8, 16"),
        ({"start": 6}, "'start_resolution' 6 does not reach by doubling the data's resolution 16"),
        ({"fade_kimg": {8: 1}}, "'fade_kimg' is too short: it has no entry for 16"),
        ({"fade_kimg": {4: 1, 8: 1, 16: 1}}, "'fade_kimg' has an entry for 4, the first resolution"),
        ({"stabilise_kimg": {8: 1}}, "'stabilise_kimg' is too short: it has no entry for 4"),
        ({"batch_sizes": {12: 4}}, "'batch_sizes' has an entry for 12, which is no resolution of this growth"),
        ({"learning_rates": {2: 0.1}}, "'learning_rates' has an entry for 2"),
    ],
)
def test_contradictions_are_sentences_with_the_key(options: dict, sentence: str) -> None:
    values = {"start": 4, "final": 16, "fade_kimg": 1, "stabilise_kimg": 1, "batch_sizes": {}, "learning_rates": {}}
    with pytest.raises(UserError, match=sentence.replace(";", ".")):
        plan(**(values | options))


def test_the_log_has_the_stage_of_the_last_step() -> None:
    growth = {"shape": (1, 12, 16), "fade_kimg": 0.1, "stabilise_kimg": 0.1}
    gan = GrowingGAN(TinyGenerator(), TinyDiscriminator(), loss=Logistic(), **growth)
    logged = []
    for _ in range(4):
        gan.clock.advance(125)
        logged.append(tuple(gan.scalars_now().values()))
    assert list(gan.scalars_now()) == ["growth/stage", "growth/resolution", "growth/blend"]
    assert logged == [(0, 4, 1.0), (1, 8, 0.25), (1, 8, 1.0), (2, 16, 0.75)]


def test_images_of_a_stage_are_in_proportion() -> None:
    images = torch.randn(2, 3, 12, 16)
    stage = Stage(8, 0.25)
    coarse = avg_pool2d(images, 4).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(fade_images(images, stage), 0.75 * coarse + 0.25 * avg_pool2d(images, 2))
    assert enlarge(images, 64).shape == (2, 3, 48, 64)
    assert enlarge(images, 16) is images


@pytest.mark.parametrize(
    ("shape", "options", "sentence"),
    [
        ((1, 12, 32), {"start_resolution": 4}, "12 x 32 pixels cannot be 8 times smaller.*choose a larger one"),
        ((2,), {}, "growth is for images"),
    ],
)
def test_shapes_that_cannot_grow_are_refused(shape: tuple[int, ...], options: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        GrowingGAN(TinyGenerator(), TinyDiscriminator(), loss=Logistic(), shape=shape, **options)
