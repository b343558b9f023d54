"""The ready sweeps of `experiments/sweeps`: every trial is a valid spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ganlab.plugins import installed
from ganlab.spec import Spec, read_spec
from ganlab.spec.model import Node

ROOT = Path(__file__).parents[1]
SWEEPS = sorted((ROOT / "experiments/sweeps").glob("*.yaml"))
# https://docs.wandb.ai/guides/sweeps/sweep-config-keys
KEYS = {"program", "command", "method", "metric", "name", "description", "parameters", "early_terminate", "run_cap"}

pytestmark = pytest.mark.skipif(not installed("architectures"), reason="sweeps need plugins")


def ends(parameter: Mapping[str, Any]) -> list[Any]:
    """All values of a list, or the ends of a range."""
    return list(parameter["values"]) if "values" in parameter else [parameter["min"], parameter["max"]]


def trials(sweep: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Each value of each parameter as the override of one trial."""
    for key, parameter in sweep["parameters"].items():
        yield from ((key, value, f"{key}={value}") for value in ends(parameter))


def value_at(spec: Spec, key: str) -> Any:
    value: Any = spec
    for part in key.split("."):
        if isinstance(value, tuple):
            value = value[int(part)]
        elif isinstance(value, Node) and part in value.options:
            value = value.options[part]
        else:
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    return value


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_trial_is_a_valid_spec(path: Path) -> None:
    sweep = yaml.safe_load(path.read_text())
    assert set(sweep) <= KEYS
    (spec,) = [argument for argument in sweep["command"] if argument.endswith(".yaml")]
    assert sweep["command"][-1] == "${args_no_hyphens}"  # noqa: RUF027
    for key, value, override in trials(sweep):
        assert value_at(read_spec(ROOT / spec, [override]), key) == value


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_the_metric_is_one_that_the_spec_measures(path: Path) -> None:
    sweep = yaml.safe_load(path.read_text())
    (spec,) = [argument for argument in sweep["command"] if argument.endswith(".yaml")]
    evaluation = read_spec(ROOT / spec).evaluation
    assert evaluation is not None
    prefix, name, *_ = sweep["metric"]["name"].split("/")
    assert prefix == "metrics"
    assert name in {metric.name for metric in evaluation.metrics}


def test_the_search_of_the_r1_weight_reaches_the_heuristic() -> None:
    from ganlab_objectives.r1_heuristic import r1_heuristic

    sweep = yaml.safe_load((ROOT / "experiments/sweeps/r1_gamma.yaml").read_text())
    data = read_spec(ROOT / "experiments/quickstart.yaml").data
    (node,) = r1_heuristic(data.options["resolution"], data.batch_size).nodes["regularizers"]
    assert sweep["parameters"]["architecture.regularizers.0.weight"]["min"] == pytest.approx(node["weight"])
