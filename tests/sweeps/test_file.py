from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import jsonschema
import pytest

from ganlab.errors import SpecError
from ganlab.sweeps.file import is_sweep_file, read_sweep_file
from tests.sweeps.files import HEAD, sweep_file

ROOT = Path(__file__).parents[2]


def schema() -> dict:
    """W&B's own schema of sweep files, from its distribution `sweeps`."""
    try:
        files = metadata.files("sweeps") or []
    except metadata.PackageNotFoundError:
        pytest.skip(
            "W&B's schema is in its distribution `sweeps`, which is not installed: pip install --no-deps sweeps"
        )
    (path,) = [file for file in files if file.name == "schema.json"]
    return json.loads(Path(path.locate()).read_text())


def problem(folder: Path, body: str, head: str = HEAD) -> str:
    with pytest.raises(SpecError) as error:
        sweep_file(folder, body, head)
    return str(error.value)


def test_nested_and_dotted_parameters_are_the_same(tmp_path) -> None:
    dotted = sweep_file(tmp_path, "method: grid\nparameters: {a.b.c: {values: [1, 2]}, a.d: {value: x}}\n")
    nested = sweep_file(
        tmp_path,
        """\
        method: grid
        parameters:
          a:
            parameters:
              b: {parameters: {c: {values: [1, 2]}}}
              d: {value: x}
        """,
    )
    assert dotted.parameters == nested.parameters
    assert list(dotted.parameters) == ["a.b.c", "a.d"]
    assert dotted.constants == {"a.d": "x"}
    assert list(dotted.searched) == ["a.b.c"]


def test_numbers_in_scientific_notation_are_numbers(tmp_path) -> None:
    sweep = sweep_file(tmp_path, "method: grid\nparameters: {lr: {values: [1e-4, 2e-4]}}\n")
    assert sweep.parameters["lr"].values == [1e-4, 2e-4]
    assert sweep.content["parameters"]["lr"]["values"] == [1e-4, 2e-4]


def test_the_spec_stands_in_the_command_or_in_a_parameter(tmp_path) -> None:
    assert sweep_file(tmp_path, "method: grid\nparameters: {a: {values: [1]}}\n").specs == ("spec.yaml",)
    head = "metric: {name: metrics/score}\n"
    body = "method: grid\nparameters: {spec: {values: [a.yaml, b.yaml]}, x: {value: 1}}\n"
    assert sweep_file(tmp_path, body, head).specs == ("a.yaml", "b.yaml")
    said = problem(tmp_path, "method: grid\nparameters: {a: {value: 1}}\n", head)
    assert "there is no command" in said
    (command,) = re.findall(r"as in \[(.+?)\],", said)
    written = head + f"command: [{command.replace('SPEC', 'spec.yaml')}]\n"
    assert sweep_file(tmp_path, "method: grid\nparameters: {a: {values: [1]}}\n", written).specs == ("spec.yaml",)
    assert "keep one of both" in problem(tmp_path, "method: grid\nparameters: {spec: {value: b.yaml}}\n")


def test_the_name_is_the_files_where_it_gives_none(tmp_path) -> None:
    body = "method: grid\nparameters: {a: {values: [1]}}\n"
    assert sweep_file(tmp_path, body).name == "tiny"
    assert sweep_file(tmp_path, body + "name: mine\n").name == "mine"


def test_repeats_over_seeds_are_a_parameter(tmp_path) -> None:
    sweep = sweep_file(tmp_path, "method: random\nparameters: {a: {values: [1]}, seed: {values: [0, 1, 2]}}\n")
    assert sweep.seeds == (0, 1, 2)
    assert list(sweep.searched) == ["a"]
    told = problem(tmp_path, "method: random\nseeds: [0, 1]\nparameters: {a: {values: [1]}}\n")
    assert "seed: {values: [0, 1, 2]}" in told
    assert "tiny.yaml:4" in told
    assert "different whole numbers" in problem(tmp_path, "method: random\nparameters: {seed: {values: [0, 0]}}\n")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("method: grid\nparamters: {a: {values: [1]}}\n", "did you mean 'parameters'?"),
        ("method: gird\nparameters: {a: {values: [1]}}\n", "did you mean 'grid'?"),
        ("method: grid\nearly_stopping: {}\nparameters: {a: {values: [1]}}\n", "early_stopping: unknown key"),
        ("method: grid\nrun_cap: 0\nparameters: {a: {values: [1]}}\n", "run_cap: must be greater than"),
        (
            "method: random\nparameters: {a: {distribution: log_unifrom, min: 0, max: 1}}\n",
            "did you mean 'log_uniform'",
        ),
        ("method: random\nparameters: {a: {distribution: uniform, min: 0, mx: 1}}\n", "did you mean 'max'?"),
        ("method: random\nparameters: {a: {min: 2, max: 1}}\n", "not below its max"),
        ("method: random\nparameters: {a: {min: 1}}\n", "needs 'value', 'values', 'min' and 'max'"),
        ("method: random\nparameters: {a: 3}\n", "needs a mapping, such as {value: 3}"),
        (
            "method: random\nparameters: {a: {distribution: log_uniform_values, min: 0, max: 1}}\n",
            "min must be above 0",
        ),
        (
            "method: random\nparameters: {a: {distribution: log_uniform, min: 1, max: 256}}\n",
            "take log_uniform_values",
        ),
        ("method: grid\nparameters: {a: {min: 0.0, max: 1.0}}\n", "a grid needs 'values'"),
        (
            "method: random\nearly_terminate: {type: hyperband, eta: 2}\nparameters: {a: {values: [1]}}\n",
            "needs min_iter, or max_iter together with s",
        ),
        (
            "method: random\nearly_terminate: {type: hyperband, max_iter: 2, s: 2}\nparameters: {a: {value: 1}}\n",
            "no moment at which it could stop",
        ),
        ("method: grid\nscheduler: {engine: ax}\nparameters: {a: {values: [1]}}\n", "means nothing for 'ganlab sweep'"),
        ("method: grid\nparameters: {}\n", "at least one parameter"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, body: str, sentence: str) -> None:
    told = problem(tmp_path, body)
    assert sentence in told
    assert "tiny.yaml:" in told


def test_all_problems_are_told_at_once_with_their_lines(tmp_path) -> None:
    told = problem(
        tmp_path,
        """\
        method: grid
        run_capp: 3
        parameters:
          a: {values: []}
          b: {valeus: [1]}
        """,
    )
    assert told.startswith("the sweep has 3 problems:")
    assert "tiny.yaml:4: run_capp" in told
    assert "tiny.yaml:6: parameters.a.values" in told
    assert "tiny.yaml:7: parameters.b" in told


def test_a_command_needs_a_place_for_the_parameters(tmp_path) -> None:
    head = "command: [ganlab, train, spec.yaml]\nmetric: {name: metrics/score}\n"
    assert "${args_no_hyphens}" in problem(tmp_path, "method: grid\nparameters: {a: {values: [1]}}\n", head)


def test_a_missing_metric_and_file_are_sentences(tmp_path) -> None:
    head = "command: [ganlab, train, spec.yaml, '${args_no_hyphens}']\n"
    assert "metric: is missing" in problem(tmp_path, "method: grid\nparameters: {a: {values: [1]}}\n", head)
    with pytest.raises(SpecError, match="cannot read the sweep"):
        read_sweep_file(tmp_path / "none.yaml")


def test_sweeps_are_told_from_specs() -> None:
    assert is_sweep_file(ROOT / "experiments/sweeps/r1_gamma.yaml")
    assert not is_sweep_file(ROOT / "experiments/quickstart.yaml")
    assert not is_sweep_file(ROOT / "no such file.yaml")


@pytest.mark.parametrize(
    "parameter",
    [
        {"value": [1, 2]},
        {"values": [1, "a", None]},
        {"values": [1, 2], "probabilities": [0.5, 0.5]},
        {"min": 1, "max": 3},
        {"min": 1.5, "max": 3},
        {"distribution": "log_uniform", "min": -5, "max": 1},
        {"distribution": "log_uniform_values", "min": 1e-5, "max": 1},
        {"distribution": "inv_log_uniform", "min": -5, "max": 1},
        {"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 1},
        {"distribution": "q_uniform", "min": 1, "max": 9, "q": 2},
        {"distribution": "q_log_uniform_values", "min": 1, "max": 9, "q": 0.5},
        {"distribution": "normal"},
        {"distribution": "q_log_normal", "mu": 1, "sigma": 2, "q": 3},
        {"distribution": "q_beta", "a": 2, "b": 5, "q": 0.1},
        {"parameters": {"deeper": {"value": 1}}},
    ],
    ids=json.dumps,
)
def test_what_is_read_is_what_wandbs_schema_allows(tmp_path, parameter) -> None:
    content = {
        "method": "random",
        "command": ["ganlab", "train", "spec.yaml", "${args_no_hyphens}"],
        "metric": {"name": "metrics/score"},
        "parameters": {"a": parameter},
    }
    jsonschema.validate(content, schema())
    (tmp_path / "sweep.yaml").write_text(json.dumps(content))
    assert read_sweep_file(tmp_path / "sweep.yaml").content == content
