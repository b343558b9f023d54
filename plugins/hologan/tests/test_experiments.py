"""The published experiments, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlab.testing import build_experiment, parameter_count

PAPER = Path(__file__).parents[3] / "experiments/papers/hologan"
GENERATORS = {"celeba": 7_796_739, "celeba-128": 8_028_739, "cars": 8_028_739, "lsun": 8_028_739}


def test_all_are_tested():
    assert {path.stem for path in PAPER.glob("*.yaml")} == set(GENERATORS)


@pytest.mark.parametrize("name", GENERATORS)
def test_networks_are_the_authors(name):
    spec, facts, module = build_experiment(PAPER / f"{name}.yaml")
    assert parameter_count(module.generator) == GENERATORS[name]
    judged = module.discriminator(torch.empty(2, *facts.shape, device="meta"))
    assert len(judged.heads) == (0 if name == "celeba" else 4)
    assert (module.generator_steps, spec.data.batch_size) == (2, 32)
