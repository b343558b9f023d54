"""The published experiments of StarGAN and SPADE, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlab.errors import DataMissing
from ganlab.testing import build_experiment, parameter_count

PAPERS = Path(__file__).parents[3] / "experiments/papers"
COUNTS = {
    "stargan/celeba-128": (8_430_528, 44_762_048),
    "stargan/celeba-256": (8_430_528, 44_884_928),
    "stargan/rafd-128": None,
    "stargan/celeba-rafd-128": None,
    "spade/coco-stuff": (97_480_899, 5_904_514),
    "spade/coco-stuff-styles": (112_626_883 + 10_463_424, 5_904_514),
    "spade/ade20k": (96_492_483, 5_836_930),
    "spade/cityscapes": (93_048_003, 5_601_410),
}
TERMS = ["architecture.regularizers=[{name: layer_matching, weight: 10.0}]"]  # VGG19 may not be on this machine


def test_all_are_tested():
    found = {f"{path.parent.name}/{path.stem}" for each in ("stargan", "spade") for path in (PAPERS / each).glob("*")}
    assert found == set(COUNTS)


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.slow) if "spade" in each else each for each in COUNTS]
)
def test_builds_for_its_data(name):
    if name.endswith("rafd-128"):
        pytest.skip("folders of classes have no names before they are there")
    terms = TERMS if name.startswith("spade") else []
    players = build_experiment(PAPERS / f"{name}.yaml", terms).module.players()
    assert tuple(parameter_count(players[each]) for each in ("generator", "discriminator")) == COUNTS[name]


def test_without_vgg19_a_sentence_says_what_to_fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLAB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(DataMissing, match="VGG19"):
        build_experiment(PAPERS / "spade/cityscapes.yaml")
