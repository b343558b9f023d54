"""The pool of earlier fakes against a list in plain Python."""

from __future__ import annotations

import torch

from ganlab.nn import ImagePool
from ganlab.randomness import Randomness

SIZE, SHAPE = 6, (1, 2, 2)


def by_hand(batches: list[torch.Tensor]) -> list[torch.Tensor]:
    """The published rule for batches, with the pool's own draws: all images of a batch see the pool before it."""
    kept: list[torch.Tensor] = []
    returned = []
    for step, batch in enumerate(batches):
        draws = Randomness(step, "pool", count=len(batch))
        swaps, places = draws.uniform("swap"), draws.integers("place", SIZE)
        before = list(kept)
        for index, image in enumerate(batch):
            if len(before) + index < SIZE:
                kept.append(image)
                returned.append(image)
            elif swaps[index] < 0.5:
                returned.append(image)
            else:
                returned.append(before[places[index]])
                kept[places[index]] = image
    return returned


def test_the_pool_follows_the_published_rule_and_is_saved() -> None:
    batches = [torch.randn(4, *SHAPE) for _ in range(9)]
    batches[1] = batches[1][:2]  # full at the end of a batch: none finds it half full
    pool = ImagePool(SIZE, SHAPE)
    returned = []
    for step, batch in enumerate(batches):
        if step == 5:
            state, pool = pool.state_dict(), ImagePool(SIZE, SHAPE)
            pool.load_state_dict(state)
        returned += list(pool.exchange(batch, Randomness(step, count=len(batch))))
        pool.commit()
    assert torch.equal(torch.stack(returned), torch.stack(by_hand(batches)))
    fresh = sum(bool((image == batch).all()) for image, batch in zip(returned, torch.cat(batches), strict=True))
    assert 6 <= fresh < 32  # some are of earlier calls


def test_parts_of_a_batch_see_and_leave_the_same_pool() -> None:
    whole, parts = ImagePool(SIZE, SHAPE), ImagePool(SIZE, SHAPE)
    for step in range(6):
        batch, random = torch.randn(4, *SHAPE), Randomness(step, count=4)
        expected = whole.exchange(batch, random)
        shown = [parts.exchange(batch[start : start + 2], random.slice(start, 2)) for start in (0, 2)]
        assert torch.equal(torch.cat(shown), expected)
        whole.commit()
        parts.commit()
        assert torch.equal(parts.images, whole.images)
        assert parts.kept == whole.kept == min(SIZE, 4 * (step + 1))


def test_an_update_that_is_left_out_leaves_no_trace() -> None:
    pool = ImagePool(SIZE, SHAPE)
    pool.exchange(torch.ones(4, *SHAPE), Randomness(0, count=4))
    pool.discard()
    pool.commit()
    pool.exchange(torch.ones(4, *SHAPE), Randomness(0, count=4))
    pool.commit(torch.tensor(True))
    assert pool.kept == 0
    assert not pool.images.any()
    pool.exchange(torch.ones(4, *SHAPE), Randomness(0, count=4))
    pool.commit(torch.tensor(False))
    assert pool.kept == 4


def test_a_pool_of_nothing_gives_images_back() -> None:
    images = torch.randn(3, 1, 2, 2, requires_grad=True)
    returned = ImagePool(0, (1, 2, 2)).exchange(images, Randomness(0, count=3))
    assert torch.equal(returned, images)
    assert not returned.requires_grad
