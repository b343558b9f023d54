"""Trained networks: one process against two, and what spectral norm keeps."""

from __future__ import annotations

import pytest
import torch

from ganlab.nn import SpectralNorm
from ganlab.testing.examples import EXAMPLE_FACTS, example_module
from ganlab.testing.training import state_of, train_steps
from ganlab.testing.two_ranks import train_on_two_ranks

FACTS = EXAMPLE_FACTS["images with classes"]
STEPS = 3


@pytest.mark.slow
def test_two_processes_with_synchronised_statistics_are_one():
    one = state_of(train_steps(example_module("biggan", FACTS), STEPS, precision="64-true"))
    start = state_of(example_module("biggan", FACTS))
    for two in train_on_two_ranks("biggan", FACTS, STEPS):
        assert one.keys() == two.keys()
        for name, value in one.items():
            if not value.is_floating_point():
                assert torch.equal(value, two[name]), name
                continue
            error = (two[name] - value).norm() / value.norm().clamp_min(1e-3)
            assert error < 1e-5, (name, float(error))
    assert any(not torch.equal(start[name].double(), value.double()) for name, value in one.items())


def test_weights_of_trained_layers_have_a_largest_singular_value_near_one():
    game = train_steps(example_module("biggan", FACTS), 10)
    values = {}
    for name, part in game.named_modules():
        for norm in getattr(getattr(part, "parametrizations", None), "weight", []):
            if isinstance(norm, SpectralNorm):
                used = part.weight.detach().movedim(norm.dim, 0).flatten(1)
                values[name] = torch.linalg.matrix_norm(used.double(), 2).item()
    assert len(values) > 30
    assert all(0.98 < value < 1.15 for value in values.values()), values
