"""The published experiments, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.spec import load_spec, resolve_with_origins
from ganlab.spec.difference import differences
from ganlab.testing import build_experiment, parameter_count

PAPER = Path(__file__).parents[3] / "experiments/papers/r3gan"
COUNTS = {
    "cifar10": (20_781_952, 21_280_512),
    "ffhq-64": (22_429_824, 22_381_440),
    "ffhq-256": (23_057_952, 23_009_568),
    "imagenet-32": (82_914_304, 86_548_992),
    "imagenet-64": (103_570_432, 107_205_120),
    "ablation-a": (24_767_458, 24_001_089),
    "ablation-b": (18_890_453, 23_996_481),
    "ablation-c": (18_890_453, 23_996_481),
    "ablation-d": (23_400_192, 23_281_536),
    "ablation-e": (23_057_952, 23_009_568),
}


ROWS = {
    ("a", "b"): {"", "loss", "regularizers", "style_mixing", "generator", "discriminator"},
    ("b", "c"): {"loss", "regularizers"},
    ("c", "d"): {"generator", "discriminator"},
    ("d", "e"): {"generator", "discriminator"},
}


def test_all_are_tested():
    assert {path.stem for path in PAPER.glob("*.yaml")} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_builds_for_its_data(name):
    if name == "ablation-a":
        pytest.importorskip("ganlab_style")
    module = build_experiment(PAPER / f"{name}.yaml").module
    players = module.players()
    assert tuple(parameter_count(players[each]) for each in ("generator", "discriminator")) == COUNTS[name]
    if name not in ("ablation-a", "ablation-b"):
        assert [term.name for term in module.regularizers] == ["r1", "r2"]
    if name != "ablation-a":
        assert all(term.every == 1 for term in module.regularizers)


@pytest.mark.parametrize("rows", ROWS, ids="-".join)
def test_a_row_changes_what_it_says(rows):
    above, below = (resolve_with_origins(load_spec(PAPER / f"ablation-{row}.yaml", [])) for row in rows)
    changed = {difference.key for difference in differences(above, below)} - {"name"}
    architecture = {key.removeprefix("architecture").strip(".").split(".")[0] for key in changed if "arch" in key}
    assert architecture - {"name"} <= ROWS[rows]
    assert any("optimizers" in key for key in changed) == (rows == ("a", "b"))
