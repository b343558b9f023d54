"""The ready sweeps of `experiments/sweeps`: valid for W&B as for ganlab, and every trial is a valid spec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ganlab.plugins import installed
from ganlab.spec import Spec, read_spec
from ganlab.spec.model import Node
from ganlab.sweeps.checking import check_sweep, overrides_of
from ganlab.sweeps.file import is_sweep_file, read_sweep_file
from ganlab.sweeps.search import Search
from tests.sweeps.test_file import schema

ROOT = Path(__file__).parents[1]
SWEEPS = sorted((ROOT / "experiments/sweeps").glob("*.yaml"))

pytestmark = pytest.mark.skipif(not installed("architectures"), reason="sweeps need plugins")


def value_at(spec: Spec, key: str) -> Any:
    value: Any = spec
    for part in key.split("."):
        if isinstance(value, tuple):
            value = value[int(part)]
        elif isinstance(value, Node) and part in value.options:
            value = value.options[part]
        else:
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    return value.name if isinstance(value, Node) else value


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_wandb_takes_the_file(path: Path) -> None:
    assert is_sweep_file(path)
    content = read_sweep_file(path).content
    assert content == yaml.safe_load(path.read_text()), "W&B reads 1e-4 as text; write 1.0e-4 in a ready sweep"
    jsonschema.validate(content, schema())
    assert content["command"][-1] == "${args_no_hyphens}"  # noqa: RUF027


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_trial_is_a_valid_spec_with_its_values(path: Path) -> None:
    sweep = read_sweep_file(path)
    assert check_sweep(sweep, seconds=0.0).planned
    suggestion = Search(sweep).suggest(1, [])
    values = sweep.values(suggestion.parameters, suggestion.seed)
    spec, overrides = overrides_of(sweep, values)
    resolved = read_spec(spec, overrides)
    for key, value in values.items():
        if key != "spec" and not isinstance(value, dict):
            assert value_at(resolved, key) == value


def test_the_search_of_the_r1_weight_reaches_the_heuristic() -> None:
    from ganlab_objectives.r1_heuristic import r1_heuristic

    sweep = read_sweep_file(ROOT / "experiments/sweeps/r1_gamma.yaml")
    data = read_spec(ROOT / "experiments/quickstart.yaml").data
    (node,) = r1_heuristic(data.options["resolution"], data.batch_size).nodes["regularizers"]
    assert sweep.searched["architecture.regularizers.0.weight"].min == pytest.approx(node["weight"])
