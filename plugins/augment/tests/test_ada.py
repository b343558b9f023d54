import logging

import pytest
import torch
from ganlab_augment import channels as channel_rules
from ganlab_augment.ada import AdaptiveAugmentation
from ganlab_augment.diffaugment import DiffAugment
from ganlab_augment.operations import GROUPS

from ganlab.contracts import DataFacts
from ganlab.errors import SpecError, UserError
from ganlab.randomness import Randomness
from ganlab.testing import build_example

ALL = tuple(GROUPS)
SHAPES = [(3, 8, 8), (1, 8, 8), (2, 5, 9), (4, 16, 12), (6, 3, 3), (3, 1, 1)]

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [lambda c: AdaptiveAugmentation(c, ALL, p=1.0), DiffAugment], ids=["ada", "diff"])
def test_any_size_and_number_of_channels(kind, shape):
    images = torch.rand(4, *shape) * 2 - 1
    augmented = kind(shape[0])(images, Randomness(0, count=4))
    assert augmented.shape == images.shape
    assert torch.isfinite(augmented).all()
    assert not torch.equal(augmented, images)


@pytest.mark.parametrize("kind", [lambda c: AdaptiveAugmentation(c, ALL, p=0.7), DiffAugment], ids=["ada", "diff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_all_operations_together_can_be_differentiated_twice(kind, channels):
    augmentation = kind(channels)
    images = (torch.rand(2, channels, 2, 3, dtype=torch.float64) * 2 - 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: augmentation(x, Randomness(0, count=2)), (images,), fast_mode=True)
    squares = lambda x: augmentation(x, Randomness(0, count=2)).square()  # noqa: E731
    assert torch.autograd.gradgradcheck(squares, (images,), fast_mode=True)


@pytest.mark.parametrize("kind", [lambda c: AdaptiveAugmentation(c, ALL, p=0.7), DiffAugment], ids=["ada", "diff"])
def test_a_rank_or_part_sees_its_slice_of_what_one_process_would_see(kind):
    augmentation, images, random = kind(3), torch.rand(6, 3, 8, 8), Randomness(5, count=6)
    whole = augmentation(images, random)
    for start, count in ((0, 2), (2, 3), (5, 1)):
        part = augmentation(images[start : start + count], random.slice(start, count))
        torch.testing.assert_close(part, whole[start : start + count], rtol=1e-5, atol=1e-5)


def test_without_probability_nothing_changes():
    images = torch.rand(4, 3, 9, 7, dtype=torch.float64) * 2 - 1
    augmented = AdaptiveAugmentation(3, ALL)(images, Randomness(0, count=4))
    torch.testing.assert_close(augmented, images, rtol=0, atol=1e-9)
    untouched = AdaptiveAugmentation(3, (), p=1.0)
    assert torch.equal(untouched(images, Randomness(0, count=4)), images)


def test_bfloat16_images_are_augmented_in_full_precision():
    augmentation = AdaptiveAugmentation(3, ALL, p=1.0)
    images = torch.rand(4, 3, 8, 8)
    plain = augmentation(images, Randomness(0, count=4))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augmentation(images, Randomness(0, count=4)), plain)
        assert augmentation(images.bfloat16(), Randomness(0, count=4)).dtype == torch.float32


def test_shares_and_strengths_change_single_operations():
    quiet = AdaptiveAugmentation(3, ("blit",), shares={"mirror": 0.0, "quarter_turn": 0, "shift": 0}, p=1.0)
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(quiet(images, Randomness(0, count=2)), images)
    louder = AdaptiveAugmentation(3, (), shares={"brightness": 1.0}, strengths={"brightness": 50.0}, p=1.0)
    assert louder(images, Randomness(0, count=2)).abs().mean() > 5


# ---------------------------------------------------------------- the channels


@pytest.mark.parametrize(
    ("channels", "left"),
    [
        (3, set(GROUPS["colour"])),
        (4, set(GROUPS["colour"])),
        (1, {"brightness", "contrast", "luma_flip"}),
        (2, {"brightness", "contrast", "luma_flip"}),
        (6, set()),
    ],
)
def test_colour_operations_go_where_channels_do_not_allow_them_and_it_is_said_once(channels, left, caplog):
    channel_rules._say.cache_clear()
    with caplog.at_level(logging.WARNING):
        augmentations = [AdaptiveAugmentation(channels) for _ in range(3)]
    assert set(augmentations[0].shares) & set(GROUPS["colour"]) == left
    assert len(caplog.records) == (left != set(GROUPS["colour"]))
    for operation in set(GROUPS["colour"]) - left:
        assert operation in caplog.text


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("kind", ["ada", "diffaugment"])
def test_transparency_keeps_its_values_and_colours_are_those_of_images_without_it(kind, channels):
    def make(count):
        return AdaptiveAugmentation(count, ("colour",), p=0.9) if kind == "ada" else DiffAugment(count, ("colour",))

    images = torch.rand(6, channels, 5, 4)
    augmented = make(channels)(images, Randomness(0, count=6))
    assert torch.equal(augmented[:, -1], images[:, -1])
    opaque = make(channels - 1)(images[:, :-1], Randomness(0, count=6))
    assert torch.equal(augmented[:, :-1], opaque)
    assert not torch.equal(opaque, images[:, :-1])


def test_what_is_not_drawn_is_not_done():
    # An image for which nothing was drawn keeps every bit, whatever is drawn for its neighbours.
    images = torch.rand(64, 3, 8, 8)
    augmented = AdaptiveAugmentation(3, ALL, p=0.06)(images, Randomness(0, count=64))
    kept = (augmented == images).flatten(1).all(1).double().mean().item()
    assert kept == pytest.approx(0.94**18, abs=0.13)  # of 15 operations, the filter has four chances
    nothing = AdaptiveAugmentation(3, ALL)
    assert nothing(images, Randomness(0, count=64)) is images


@pytest.mark.parametrize("name", ["ada", "diffaugment"])
def test_vectors_are_refused_with_a_sentence(name):
    with pytest.raises(SpecError, match="needs images with channels, but the data have the shape 2"):
        build_example("augmentations", name, DataFacts((2,), 10, "vectors"))


# ---------------------------------------------------------------- the probability


def play(augmentation, batches, signs, batch_size=64, parts=1):
    """As an architecture would: every part augments reals and fakes, and then shows its logits."""
    for index in range(batches):
        random = Randomness("play", index, count=batch_size)
        size = batch_size // parts
        for part in range(parts):
            rows = slice(part * size, (part + 1) * size)
            for name in ("real", "fake"):
                augmentation(torch.zeros(size, 1, 4, 4), random.slice(part * size, size).scoped(name))
            augmentation.observe(signs(index)[rows])
    augmentation(torch.zeros(1, 1, 4, 4), Randomness(0, count=1, total=batch_size))


def value(augmentation):
    return augmentation.adaptive.value.item()


def test_the_probability_moves_at_the_published_speed_every_four_batches():
    augmentation = AdaptiveAugmentation(1, ())
    play(augmentation, 3, lambda index: torch.ones(64))
    assert value(augmentation) == 0
    play(augmentation, 1, lambda index: torch.ones(64))
    assert value(augmentation) == pytest.approx(4 * 64 / 500_000)
    play(augmentation, 8, lambda index: torch.ones(64))
    assert value(augmentation) == pytest.approx(3 * 4 * 64 / 500_000)
    play(augmentation, 4, lambda index: -torch.ones(64))
    assert value(augmentation) == pytest.approx(2 * 4 * 64 / 500_000)


def test_it_stays_at_zero_and_may_pass_one():
    falling = AdaptiveAugmentation(1, ())
    play(falling, 8, lambda index: -torch.ones(64))
    assert value(falling) == 0
    rising = AdaptiveAugmentation(1, (), speed_kimg=0.1)
    play(rising, 4, lambda index: torch.ones(64))
    assert value(rising) == pytest.approx(2.56)


@pytest.mark.parametrize(("share", "moves"), [(0.85, 1), (0.75, -1)])
def test_the_target_is_a_mean_sign_of_point_six(share, moves):
    # A share of 0.8 of positive logits has a mean sign of 0.6.
    augmentation = AdaptiveAugmentation(1, (), initial_p=0.5)
    play(augmentation, 4, lambda index: torch.where(torch.arange(64) < share * 64, 3.0, -0.1))
    assert value(augmentation) == pytest.approx(0.5 + moves * 4 * 64 / 500_000)


def test_a_discriminator_that_can_be_fooled_by_augmentation_settles_at_the_target():
    # Rigged: the more augmentation, the fewer reals it recognises.
    augmentation = AdaptiveAugmentation(1, (), speed_kimg=5.0)
    generator = torch.Generator().manual_seed(0)

    def logits(index):
        return torch.randn(64, generator=generator) + 2.0 - 3.0 * value(augmentation)

    play(augmentation, 400, logits)
    # The mean sign is 0.6 where the mean is 0.8416 deviations.
    assert value(augmentation) == pytest.approx((2 - 0.8416) / 3, abs=0.08)


def test_parts_of_a_batch_do_not_change_the_probability():
    def logits(index):
        return torch.randn(64, generator=torch.Generator().manual_seed(index)) + 0.9

    whole, parts = AdaptiveAugmentation(1, (), initial_p=0.5), AdaptiveAugmentation(1, (), initial_p=0.5)
    play(whole, 21, logits)
    play(parts, 21, logits, parts=4)
    assert value(whole) == pytest.approx(value(parts), abs=1e-7)
    assert value(whole) != 0.5


def test_the_state_is_saved():
    augmentation = AdaptiveAugmentation(1, (), initial_p=0.25)
    play(augmentation, 6, lambda index: torch.ones(64))
    other = AdaptiveAugmentation(1, ())
    other.load_state_dict(augmentation.state_dict())
    for each in (augmentation, other):
        play(each, 2, lambda index: torch.ones(64))
    assert value(other) == value(augmentation) == pytest.approx(0.25 + 2 * 4 * 64 / 500_000)


def test_ranks_that_average_their_buffers_agree_with_one_process(monkeypatch):
    def logits(index):
        return torch.randn(64, generator=torch.Generator().manual_seed(index)) + 0.9

    alone = AdaptiveAugmentation(1, (), initial_p=0.5)
    play(alone, 12, logits)
    monkeypatch.setattr("ganlab_augment.adaptive_probability.world_size", lambda: 2)
    ranks = [AdaptiveAugmentation(1, (), initial_p=0.5) for _ in range(2)]
    for index in range(12):
        for number, rank in enumerate(ranks):
            random = Randomness("play", index, count=32, start=32 * number, total=64)
            rank(torch.zeros(32, 1, 4, 4), random)
            rank.observe(logits(index)[32 * number : 32 * number + 32])
        for first, second in zip(ranks[0].buffers(), ranks[1].buffers(), strict=True):
            mean = (first + second) / 2
            first.copy_(mean), second.copy_(mean)
    for rank in ranks:
        rank(torch.zeros(32, 1, 4, 4), Randomness(0, count=32, total=64))
        assert value(rank) == pytest.approx(value(alone), abs=1e-7)


@pytest.mark.parametrize(("mean", "moves"), [(1.5, 1), (1.2, -1)])
def test_the_heuristic_may_be_the_logit_itself(mean, moves):
    # A few logits have the wrong sign, and the mean of the signs is 0.5; a probability of 0.8 has the logit 1.386.
    logits = torch.cat([torch.full((48,), 3.0), torch.full((16,), -3.0)])
    augmentation = AdaptiveAugmentation(1, (), initial_p=0.5, heuristic="logit")
    play(augmentation, 4, lambda index: logits + mean - 1.5)
    assert value(augmentation) == pytest.approx(0.5 + moves * 4 * 64 / 500_000)
    assert torch.sigmoid(torch.tensor(augmentation.adaptive.target)).item() == pytest.approx(0.8)


def test_the_logits_count_and_not_their_signs():
    by_sign, by_logit = (AdaptiveAugmentation(1, (), initial_p=0.5, heuristic=each) for each in ("sign", "logit"))
    for augmentation in (by_sign, by_logit):
        play(augmentation, 4, lambda index: torch.full((64,), 0.1))
    assert value(by_logit) < 0.5 < value(by_sign)


@pytest.mark.parametrize("heuristic", ["sign", "logit"])
def test_logits_that_are_not_finite_are_not_seen(heuristic):
    augmentation, other = (AdaptiveAugmentation(1, (), initial_p=0.5, heuristic=heuristic) for _ in range(2))
    play(augmentation, 7, lambda index: torch.full((64,), 2.0 if index != 1 else torch.nan))
    play(other, 6, lambda index: torch.full((64,), 2.0))
    assert value(augmentation) == value(other) == pytest.approx(0.5 + 4 * 64 / 500_000)


def test_a_target_that_no_mean_of_signs_can_reach_is_refused():
    with pytest.raises(UserError, match="'target' is a mean of signs, between -1 and 1, and not 1.4"):
        AdaptiveAugmentation(1, target=1.4)
    assert AdaptiveAugmentation(1, heuristic="logit", target=1.4).adaptive.target == 1.4


def test_options_that_would_do_nothing_are_refused():
    with pytest.raises(UserError, match="'p' is set and does not adapt: leave out target, interval, or 'p'"):
        AdaptiveAugmentation(1, p=0.2, target=0.5, interval=8)
    with pytest.raises(UserError, match="'strengths' has 'noise', which is not in use: add its group to 'groups'"):
        AdaptiveAugmentation(3, strengths={"noise": 0.3})
    with pytest.raises(UserError, match="'mirror' has no strength; those that have one: shift, scale"):
        AdaptiveAugmentation(3, strengths={"mirror": 0.3})
    # What the channels do not allow is said in another way, and so is what the spec switches off.
    AdaptiveAugmentation(1, strengths={"hue": 0.3, "scale": 0.1}, shares={"scale": 0.0}, p=0.2)


def test_a_fixed_probability_does_not_observe():
    augmentation = AdaptiveAugmentation(1, (), p=0.3)
    assert augmentation.observe(torch.ones(4)) == {}
    assert not list(augmentation.buffers())
