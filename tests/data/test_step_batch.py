from __future__ import annotations

import numpy as np
import pytest
import torch

from ganlab.contracts import DataFacts
from ganlab.data import StepBatch, StepPlan, scale, to_bytes


@pytest.mark.parametrize(("dtype", "maximum"), [(np.uint8, 255), (np.uint16, 65535)])
def test_scaling_agrees_with_float64(dtype, maximum):
    stored = np.linspace(0, maximum, 1000).astype(dtype)
    exact = stored.astype(np.float64) / (maximum / 2) - 1
    scaled = scale(torch.from_numpy(stored), (0, maximum))
    assert scaled.dtype == torch.float32
    np.testing.assert_allclose(scaled.numpy(), exact, atol=1.2e-7)


def test_bytes_survive_scaling_and_back():
    stored = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(scale(stored, (0, 255))), stored)
    assert to_bytes(torch.tensor([-7.0, 7.0])).tolist() == [0, 255]


def test_the_identity_range_leaves_numbers_alone():
    numbers = torch.randn(10)
    assert torch.equal(scale(numbers, (-1.0, 1.0)), numbers)


def make(position=640, steps=2, start=4, count=4, total=8):
    images = torch.arange(steps * count * 4, dtype=torch.uint8).view(-1, 1, 2, 2)
    return StepBatch(
        StepPlan(position, position, total, steps, start, count),
        images,
        torch.arange(steps * count),
        {"mask": images.float()},
    )


FACTS = DataFacts((1, 2, 2), 100, "x", class_names=tuple("abcdefgh"))


def test_one_batch_for_each_update_of_the_discriminator():
    batches = make().batches(FACTS, seed=5)
    assert [batch.labels.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    exact = torch.tensor([[16.0, 17.0], [18.0, 19.0]], dtype=torch.float64) / 127.5 - 1
    torch.testing.assert_close(batches[1].images[0, 0].double(), exact, rtol=0, atol=1.2e-7)
    assert batches[1].inputs["mask"][0, 0, 0, 0] == 16
    assert [batch.random.key for batch in batches] == [(5, 640), (5, 648)]


def test_random_numbers_of_two_ranks_are_those_of_one_process():
    whole = make(start=0, count=8).batches(FACTS, seed=5)
    parts = [make(start=start, count=4).batches(FACTS, seed=5) for start in (0, 4)]
    for step in range(2):
        together = torch.cat([part[step].random.normal("latents", 3) for part in parts])
        assert torch.equal(together, whole[step].random.normal("latents", 3))


def test_default_type_is_followed():
    torch.set_default_dtype(torch.float64)
    try:
        assert make().batches(FACTS, seed=5)[0].images.dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_moves_with_all_its_tensors():
    moved = make().to("meta")
    assert {moved.images.device.type, moved.labels.device.type, moved.inputs["mask"].device.type} == {"meta"}
    assert moved.plan == make().plan
    assert make().images_shown == 16
