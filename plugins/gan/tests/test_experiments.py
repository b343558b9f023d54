"""The published experiments, built on the meta device; networks counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlab.build import build_architecture, facts_of_data
from ganlab.spec import read_spec

PAPERS = Path(__file__).parents[3] / "experiments/papers"
PLAIN = (101 * 1200 + 1201 * 1200 + 1201 * 784, 785 * 1200 + 241 * 1200 + 241)
CONDITIONAL = (101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784, 785 * 1200 + 11 * 250 + 291 * 960 + 241)
COUNTS = {"gan/mnist": PLAIN, "gan/mnist-minimax": PLAIN, "cgan/mnist": CONDITIONAL}


def test_all_are_tested():
    found = {f"{paper}/{path.stem}" for paper in ("gan", "cgan") for path in (PAPERS / paper).glob("*.yaml")}
    assert found == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_networks_and_schedules(name):
    spec = read_spec(PAPERS / f"{name}.yaml", [])
    facts, _ = facts_of_data(spec)
    with torch.device("meta"):
        module, _ = build_architecture(spec, facts)
    counts = tuple(
        sum(p.numel() for p in module.players()[each].parameters()) for each in ("generator", "discriminator")
    )
    assert counts == COUNTS[name]
    for node in spec.optimizers.values():
        assert node.name == "sgd"
        assert [node.options["momentum"](images) for images in (0, 7_500_000, 15_000_000)] == pytest.approx(
            [0.5, 0.6, 0.7]
        )
        decay = 1.00004 if name == "cgan/mnist" else 1.000004
        assert node.options["lr"](13_500_000) == pytest.approx(0.1 / decay**135_000, rel=0.05)
