"""Every published experiment, built on the meta device, and the tables as chains of differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.spec import load_spec, read_spec, resolve_with_origins
from ganlab.spec.difference import differences
from ganlab.testing import build_experiment, parameter_count
from ganlab.training.players import check_ownership

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
PAPERS = EXPERIMENTS / "papers"
FILES = [
    *sorted(PAPERS.glob("stylegan/*.yaml")),
    *sorted(PAPERS.glob("stylegan2/*.yaml")),
    *sorted(PAPERS.glob("msg-gan/*.yaml")),
    *sorted(EXPERIMENTS.glob("style/*.yaml")),
]
COUNTS = {
    "stylegan/ffhq-a": (23_079_115, 23_087_249),
    "stylegan/ffhq-c": (30_400_651, 23_087_249),
    "stylegan/celeba_hq-f": (26_219_627, 23_087_249),
    "stylegan2/ffhq-a": (26_219_627, 23_087_249),
    "stylegan2/ffhq-e": (24_900_764, 24_038_161),
    "stylegan2/ffhq-f": (30_370_060, 29_012_513),
    "msg-gan/ffhq": (26_219_627, 24_238_625),
    "msg-gan/ffhq-progan": (23_079_115, 23_163_681),
}
BOTH = ("generator", "discriminator")
LAZY = {"architecture.regularizers", "architecture.learning_rates"}
CHANGES = {
    ("stylegan/ffhq", "a", "b"): {"architecture.generator.blur", "architecture.discriminator.blur", "architecture.loss"}
    | {"architecture.regularizers", "architecture.start_resolution", "kimg"},
    ("stylegan/ffhq", "b", "c"): {"architecture.generator.styles", "architecture.generator.mapping_layers"},
    ("stylegan/ffhq", "c", "d"): {"architecture.generator.input"},
    ("stylegan/ffhq", "d", "e"): {"architecture.generator.noise"},
    ("stylegan/ffhq", "e", "f"): {"architecture.style_mixing"},
    ("stylegan/celeba_hq", "c", "d"): {"architecture.generator.input"},
    ("stylegan2/ffhq", "a", "a-large"): {f"architecture.{player}.channel_base" for player in BOTH},
    ("stylegan2/ffhq", "a", "b"): {f"architecture.{player}" for player in BOTH},
    ("stylegan2/ffhq", "b", "c"): LAZY | {"optimizers.discriminator"},
    ("stylegan2/ffhq", "c", "d"): LAZY | {"optimizers.generator"},
    ("stylegan2/car", "a", "b"): {f"architecture.{player}" for player in BOTH},
    ("stylegan2/car", "b", "c"): LAZY | {"optimizers.discriminator"},
    ("stylegan2/car", "c", "d"): LAZY | {"optimizers.generator"},
    ("stylegan2/car", "e", "f"): {f"architecture.{player}.channel_base" for player in BOTH},
    ("stylegan2/ffhq", "e", "f"): {f"architecture.{player}.channel_base" for player in BOTH}
    | {"architecture.regularizers"},
}


def _document(name):
    return resolve_with_origins(load_spec(PAPERS / f"{name}.yaml", []))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_builds_for_its_data(path):
    spec, _, module = build_experiment(path)
    check_ownership(module, module.players(), spec.optimizers)
    assert module.remark(spec.total_images) is None
    name = f"{path.parent.name}/{path.stem}"
    if name in COUNTS:
        assert tuple(parameter_count(module.players()[player]) for player in BOTH) == COUNTS[name]


@pytest.mark.parametrize(
    ("rows", "changes"), CHANGES.items(), ids=lambda part: "-".join(part) if len(part) == 3 else ""
)
def test_a_row_changes_what_it_says(rows, changes):
    table, above, row = rows
    changed = {d.key for d in differences(*(_document(f"{table}-{name}") for name in (above, row)))} - {"name"}
    for key in changed:
        assert any(key == change or key.startswith(f"{change}.") for change in changes), key
    for change in changes:
        assert any(key == change or key.startswith(f"{change}.") for key in changed), change


def test_lazy_regularization_is_corrected_for():
    spec = read_spec(PAPERS / "stylegan2/ffhq-f.yaml", [])
    for player, every in (("generator", 4), ("discriminator", 16)):
        share, options = every / (every + 1), spec.optimizers[player].options
        assert options["lr"] == pytest.approx(0.002 * share, rel=1e-4)
        assert options["betas"][1] == pytest.approx(0.99**share, rel=1e-5)
    growing = read_spec(PAPERS / "stylegan2/ffhq-d.yaml", []).architecture.options["learning_rates"]
    plain = read_spec(PAPERS / "stylegan2/ffhq-a.yaml", []).architecture.options["learning_rates"]
    for resolution, rate in plain.items():
        assert growing[resolution]["generator"] == pytest.approx(rate * 4 / 5, rel=1e-4)
        assert growing[resolution]["discriminator"] == pytest.approx(rate * 16 / 17, rel=1e-4)
