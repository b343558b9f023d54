"""The published experiments, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlab.build import build_architecture, facts_of_data
from ganlab.spec import read_spec

PAPER = Path(__file__).parents[3] / "experiments/papers/infogan"
CODES = {"mnist": (62, (10,), 2), "svhn": (124, (10,) * 4, 4), "celeba": (128, (10,) * 10, 0)}


def test_all_are_tested():
    assert {path.stem for path in PAPER.glob("*.yaml")} == set(CODES)


@pytest.mark.parametrize("name", CODES)
def test_noise_and_codes_are_the_papers(name):
    spec = read_spec(PAPER / f"{name}.yaml", [])
    facts, _ = facts_of_data(spec)
    with torch.device("meta"):
        module, _ = build_architecture(spec, facts)
    assert (module.noise_size, module.codes.categorical, module.codes.continuous) == CODES[name]
