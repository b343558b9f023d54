"""The experiments of the papers and of the digits, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.spec import read_spec
from ganlab.testing import build_experiment, parameter_count

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
FOLDERS = ("biggan", "papers/biggan", "papers/sngan", "papers/sagan")
FILES = sorted(path for folder in FOLDERS for path in (EXPERIMENTS / folder).glob("*"))
MILLIONS = {  # of the tables, which leave a shared embedding out
    "imagenet-128-a": 81.5,
    "imagenet-128-b": 81.5,
    "imagenet-128-c": 81.5,
    "imagenet-128-d": 81.5,
    "imagenet-128-e": 173.5,
    "imagenet-128-f": 160.6,
    "imagenet-128-g": 158.3,
    "imagenet-128-h": 158.3,
    "imagenet-128-i": 71.3,
    "jft-256-a": 317.1,
    "jft-256-b": 99.4,
    "jft-256-c": 207.9,
    "jft-256-d": 355.7,
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_all_are_what_they_say(path):
    if path.parent.name == "biggan" and path.parent.parent.name == "papers" and path.stem not in MILLIONS:
        assert read_spec(path, []).name
        return  # their networks are counted in test_parameters.py
    spec, _, module = build_experiment(path)
    assert spec.name
    if path.stem in MILLIONS and path.parent.parent.name == "papers" and path.parent.name == "biggan":
        embedding = module.generator.conditions.embedding
        total = sum(map(parameter_count, module.players().values()))
        # The paper rounds 160,646,886 down and 158,288,358 to the nearest.
        assert abs((total - (0 if embedding is None else embedding.weight.numel())) / 1e6 - MILLIONS[path.stem]) < 0.051


def test_the_rows_of_the_table_differ_by_what_it_says():
    rows = {name: read_spec(EXPERIMENTS / f"papers/biggan/imagenet-128-{name}.yaml", []) for name in "abcdefghi"}
    assert [rows[name].data.batch_size for name in "abcd"] == [256, 512, 1024, 2048]
    assert rows["h"].architecture.options["regularizers"][0].name == "orthogonal"
    assert not rows["g"].architecture.options["regularizers"]
    images = {name: row.data.batch_size * 2 for name, row in rows.items()}
    for name in "bcdefghi":
        keep = 0.5 ** (images[name] / (1000 * rows[name].ema.half_life_kimg))
        assert keep == pytest.approx(0.9999, abs=1e-7)
        assert rows[name].ema.start_kimg * 1000 / images[name] == 20_000
