"""The pool of earlier fakes against a list in plain Python."""

from __future__ import annotations

import torch

from ganlab.nn import ImagePool
from ganlab.randomness import Randomness


def by_hand(batches: list[torch.Tensor], size: int) -> list[torch.Tensor]:
    """The published rule, with the pool's own draws."""
    kept: list[torch.Tensor] = []
    returned = []
    for step, batch in enumerate(batches):
        draws = Randomness(step, "pool", count=len(batch))
        swaps, places = draws.uniform("swap"), draws.integers("place", size)
        for index, image in enumerate(batch):
            if len(kept) < size:
                kept.append(image)
                returned.append(image)
            elif swaps[index] < 0.5:
                returned.append(image)
            else:
                returned.append(kept[places[index]])
                kept[places[index]] = image
    return returned


def test_the_pool_follows_the_published_rule_and_is_saved() -> None:
    batches = [torch.randn(4, 1, 2, 2) for _ in range(8)]
    pool = ImagePool(6, (1, 2, 2))
    returned = []
    for step, batch in enumerate(batches):
        if step == 5:
            state, pool = pool.state_dict(), ImagePool(6, (1, 2, 2))
            pool.load_state_dict(state)
        returned += list(pool.exchange(batch, Randomness(step, count=4)))
    assert torch.equal(torch.stack(returned), torch.stack(by_hand(batches, 6)))
    fresh = sum(bool((image == batch).all()) for image, batch in zip(returned, torch.cat(batches), strict=True))
    assert 6 <= fresh < 32  # some are of earlier calls


def test_a_pool_of_nothing_gives_images_back() -> None:
    images = torch.randn(3, 1, 2, 2, requires_grad=True)
    returned = ImagePool(0, (1, 2, 2)).exchange(images, Randomness(0, count=3))
    assert torch.equal(returned, images)
    assert not returned.requires_grad
