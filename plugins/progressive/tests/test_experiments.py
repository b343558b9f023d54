"""Every published experiment, built on the meta device, and the table as a chain of differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.spec import load_spec, resolve_with_origins
from ganlab.spec.difference import differences
from ganlab.testing import build_experiment, parameter_count
from ganlab.training.players import check_ownership

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
PAPER = EXPERIMENTS / "papers/progan"
FILES = [*sorted(PAPER.glob("*.yaml")), *sorted(EXPERIMENTS.glob("progressive/**/*.yaml"))]
ROWS = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e-star"), ("d", "e"), ("e", "f"), ("f", "g"), ("g", "h")]
CHANGES = {
    "b": {"architecture.growth"},
    "c": {"data.batch_size"},
    "e-star": {"architecture.discriminator.minibatch"},
    "e": {"architecture.discriminator.minibatch"},
    "f": {f"architecture.{player}.equalized" for player in ("generator", "discriminator")}
    | {f"optimizers.{player}.lr" for player in ("generator", "discriminator")},
    "g": {"architecture.generator.pixel_norm"},
    "h": {"kimg", "architecture.generator.fmap_base", "architecture.discriminator.fmap_base"},
}
COUNTS = {
    "celeba_hq-1024": (23_079_115, 23_087_249),
    "lsun-256": (23_044_309, 23_052_353),
    "celeba-g": (13_629_810, 13_636_897),
    "celeba-h": (22_933_394, 22_941_313),
    "cifar10": (1_296_908, 1_298_689),
}


def _document(data, row):
    return resolve_with_origins(load_spec(PAPER / f"{data}-{row}.yaml", []))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_builds_for_its_data(path):
    spec, _, module = build_experiment(path)
    check_ownership(module, module.players(), spec.optimizers)
    assert module.remark(spec.total_images) is None
    if path.parent == PAPER and path.stem in COUNTS:
        assert tuple(map(parameter_count, (module.generator, module.discriminator))) == COUNTS[path.stem]


@pytest.mark.parametrize(("above", "row"), [pair for pair in ROWS if pair[1] in CHANGES])
@pytest.mark.parametrize("data", ["celeba", "bedroom"])
def test_a_row_changes_what_it_says(data, above, row):

    changed = {difference.key for difference in differences(*(_document(data, name) for name in (above, row)))}
    assert changed - {"name"} == CHANGES[row]


@pytest.mark.parametrize("row", ["a", *(row for _, row in ROWS)])
def test_both_data_sets_have_the_same_rows(row):
    celeba, bedroom = (_document(data, row) for data in ("celeba", "bedroom"))
    assert {d.key for d in differences(celeba, bedroom)} <= {"name", "data.path", "data.flip"} | {
        f"data.box{rest}" for rest in ("", ".0", ".1", ".2", ".3")
    }
