"""The published experiments, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlab.build import build_architecture, facts_of_data
from ganlab.spec import read_spec

PAPER = Path(__file__).parents[3] / "experiments/papers/r3gan"
COUNTS = {
    "cifar10": (20_781_952, 21_280_512),
    "ffhq-64": (22_429_824, 22_381_440),
    "ffhq-256": (23_057_952, 23_009_568),
}


def test_all_are_tested():
    assert {path.stem for path in PAPER.glob("*.yaml")} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_builds_for_its_data(name):
    spec = read_spec(PAPER / f"{name}.yaml", [])
    facts, _ = facts_of_data(spec)
    assert facts is not None, "without its data, the spec does not say what the networks are"
    with torch.device("meta"):
        module, _ = build_architecture(spec, facts)
    players = module.players()
    counts = tuple(sum(p.numel() for p in players[each].parameters()) for each in ("generator", "discriminator"))
    assert counts == COUNTS[name]
    assert [term.name for term in module.regularizers] == ["r1", "r2"]
    assert all(term.every == 1 for term in module.regularizers)
