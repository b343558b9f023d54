from __future__ import annotations

import pytest
import torch

from ganlab.randomness import Randomness, derive_seed


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
