"""The published experiments, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.testing import build_experiment

PAPER = Path(__file__).parents[3] / "experiments/papers/infogan"
CODES = {"mnist": (62, (10,), 2), "svhn": (124, (10,) * 4, 4), "celeba": (128, (10,) * 10, 0)}


def test_all_are_tested():
    assert {path.stem for path in PAPER.glob("*.yaml")} == set(CODES)


@pytest.mark.parametrize("name", CODES)
def test_noise_and_codes_are_the_papers(name):
    module = build_experiment(PAPER / f"{name}.yaml").module
    assert (module.noise_size, module.codes.categorical, module.codes.continuous) == CODES[name]
