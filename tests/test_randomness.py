from __future__ import annotations

import pytest
import scipy.stats
import torch

from ganlab.nn import Dropout
from ganlab.randomness import (
    Randomness,
    chosen_rows,
    derive_seed,
    given_layer_draws,
    layer_draws,
    layer_normal,
    layer_uniform,
    noted_layer_draws,
    shared_layer_draws,
)


@pytest.mark.parametrize(
    "draw", [lambda r: r.normal("z", 5), lambda r: r.uniform("z", 5), lambda r: r.integers("z", 7)]
)
def test_slices_are_parts_of_the_whole_draw(draw) -> None:
    whole = draw(Randomness(0, 64, count=12))
    left, right = (draw(Randomness(0, 64, count=6, start=start, total=12)) for start in (0, 6))
    torch.testing.assert_close(torch.cat([left, right]), whole, rtol=0, atol=0)
    part = draw(Randomness(0, 64, count=6, start=6, total=12).slice(2, 3))
    torch.testing.assert_close(part, whole[8:11], rtol=0, atol=0)


@pytest.mark.parametrize("count", [1, 3, 17, 40])
def test_a_short_draw_is_the_prefix_of_a_longer_one(count: int) -> None:
    long = Randomness(3, count=64).normal("z", 7)
    torch.testing.assert_close(Randomness(3, count=count).normal("z", 7), long[:count], rtol=0, atol=0)


def test_purposes_scopes_and_seeds_are_independent() -> None:
    random = Randomness(0, count=1000)
    draws = [random.normal("a", 1), random.normal("b", 1), random.scoped("x").normal("a", 1)]
    draws.append(Randomness(1, count=1000).normal("a", 1))
    correlation = torch.corrcoef(torch.cat(draws, 1).T)
    assert (correlation - torch.eye(4)).abs().max() < 0.15
    assert abs(draws[0].mean()) < 0.15
    assert abs(draws[0].std() - 1) < 0.1


def test_seeds_are_the_same_everywhere() -> None:
    assert derive_seed(0, "latents", 64) == derive_seed(0, "latents", 64)
    assert derive_seed(0, "latents", 64) != derive_seed(0, "latents", 65)
    assert 0 <= derive_seed("x") < 2**63


MASK = 2**64 - 1


def splitmix64(seed: int, number: int) -> int:
    """One output of SplitMix64 in Python's own integers."""
    state = (seed + number * 0x9E3779B97F4A7C15) & MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def test_integers_are_those_of_the_published_generator() -> None:
    random = Randomness(5, "x", count=3, start=2)
    drawn = random.integers("p", 1000, 4).flatten().tolist()
    assert drawn == [(splitmix64(random.seed("p"), number) % 2**63) % 1000 for number in range(8, 20)]


def test_normal_and_uniform_numbers_have_their_distributions() -> None:
    random = Randomness(1, count=4000)
    normal, uniform = random.normal("z", 5).double(), random.uniform("u", 5).double()
    assert scipy.stats.kstest(normal.flatten().numpy(), "norm").pvalue > 1e-3
    assert scipy.stats.kstest(uniform.flatten().numpy(), "uniform").pvalue > 1e-3
    counts = torch.bincount(random.integers("i", 7, 5).flatten(), minlength=7)
    assert scipy.stats.chisquare(counts.numpy()).pvalue > 1e-3
    columns = torch.cat([normal, normal.square(), uniform, uniform.roll(1, 0), normal.roll(1, 0)], 1)
    correlation = torch.corrcoef(columns.T).fill_diagonal_(0)
    assert correlation.abs().max() < 5 / 4000**0.5  # neighbours in a row and from row to row, and pairs of one radius


def test_large_draws_are_made_in_parts_of_the_same_numbers() -> None:
    random = Randomness(2, count=70)
    large = random.normal("z", 3, 32, 32)
    torch.testing.assert_close(random.slice(50, 3).normal("z", 3, 32, 32), large[50:53], rtol=0, atol=0)


def test_the_whole_batch_is_what_its_parts_draw() -> None:
    part = Randomness(0, count=4, start=8, total=12)
    torch.testing.assert_close(part.whole().normal("z", 3)[8:], part.normal("z", 3), rtol=0, atol=0)


def noises(random: Randomness, rows: slice, passes: int = 1) -> torch.Tensor:
    part = random.slice(rows.start, rows.stop - rows.start)
    with layer_draws(part):
        return torch.cat([layer_normal(torch.zeros(len(part), 2), 2) for _ in range(passes)], 1)


def test_noise_in_layers_is_addressed_by_the_example() -> None:
    random = Randomness(0, "step", count=8)
    whole = noises(random, slice(0, 8), passes=2)
    torch.testing.assert_close(noises(random, slice(5, 8), passes=2), whole[5:], rtol=0, atol=0)
    assert not torch.equal(whole[:, :2], whole[:, 2:])  # the second layer has noise of its own
    with layer_draws(random):
        both = layer_normal(torch.zeros(16, 1), 2)  # reals and fakes in one pass
    assert not torch.equal(both[:8], both[8:])


@pytest.mark.parametrize("rows", [slice(None, None, 2), slice(1, None, 3), slice(2, 5)])
def test_some_rows_of_a_slice_are_those_of_the_batch(rows: slice) -> None:
    part = Randomness(0, count=6, start=3, total=12)
    taken = part.take(rows)
    for draw in (lambda r: r.normal("z", 3), lambda r: r.uniform("u", 2), lambda r: r.integers("i", 99)):
        assert torch.equal(draw(taken), draw(part)[rows])
    assert torch.equal(taken.slice(1, 1).normal("z", 3), part.normal("z", 3)[rows][1:2])
    assert torch.equal(taken.scoped("x").normal("z", 3), part.scoped("x").normal("z", 3)[rows])


def test_a_pass_over_chosen_rows_draws_what_they_drew_in_the_whole() -> None:
    random, rows = Randomness(0, "step", count=8), slice(1, None, 2)
    with layer_draws(random):
        whole = layer_normal(torch.zeros(8, 1), 3)
    with chosen_rows(rows), layer_draws(random):
        assert torch.equal(layer_normal(torch.zeros(4, 1), 3), whole[rows])


def test_a_pass_over_some_of_the_rows_is_repeatable() -> None:
    random = Randomness(0, count=8)
    draws = []
    for _ in range(2):
        with layer_draws(random):
            draws.append(layer_uniform(torch.zeros(3, 1), 4))
    assert torch.equal(*draws)
    assert draws[0].unique().numel() == 12


def test_without_a_pass_torchs_generator_is_used() -> None:
    torch.manual_seed(0)
    first = layer_normal(torch.zeros(2, 1), 3)
    torch.manual_seed(0)
    assert torch.equal(torch.randn(2, 3), first)


def test_dropout_drops_the_asked_share_and_keeps_the_mean() -> None:
    dropout, features = Dropout(0.3), torch.ones(50, 400)
    with layer_draws(Randomness(0, count=50)):
        dropped = dropout(features)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)
    assert dropout.eval()(features) is features
    assert not torch.equal(Dropout(0.3, always=True).eval()(features), features)


def test_all_examples_share_the_noise_of_one_row() -> None:
    random = Randomness(3, count=1, start=5)
    with layer_draws(random):
        own = [layer_normal(torch.zeros(1, 2), 7), layer_normal(torch.zeros(1, 2), 7)]
    with shared_layer_draws(random):
        shared = [layer_normal(torch.zeros(4, 2), 7), layer_normal(torch.zeros(3, 2), 7)]
    for one, many in zip(own, shared, strict=True):
        assert torch.equal(many, one.expand_as(many))


def test_noted_noise_can_be_given_back() -> None:
    with noted_layer_draws(Randomness(3, count=1)) as maps:
        first = layer_normal(torch.zeros(2, 1), 3, 3)
        second = layer_uniform(torch.zeros(2, 1), 4)
    assert [part.shape for part in maps] == [(1, 3, 3), (1, 4)]
    with given_layer_draws([maps[0] + 1, maps[1]]):
        assert torch.equal(layer_normal(torch.zeros(2, 1), 3, 3), first + 1)
        assert torch.equal(layer_uniform(torch.zeros(2, 1), 4), second)
