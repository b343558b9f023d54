from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ganlab.spec import load_spec
from ganlab.spec.json_schema import json_schema
from ganlab.spec.reference import markdown
from tests.spec.test_mutations import mutated
from tests.toy import TOY_SPEC

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture(scope="module")
def validators():
    """The validator with the toys, once it was made: all plugins are read for it."""
    return []


@pytest.fixture
def validator(toy, validators):
    if not validators:
        schema = json.loads(json.dumps(json_schema(pytest.fail)))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators.append(jsonschema.Draft202012Validator(schema))
    return validators[0]


@pytest.fixture(scope="module")
def installed_validator():
    """What the installed plugins allow, without toys."""
    return jsonschema.Draft202012Validator(json.loads(json.dumps(json_schema(pytest.fail))))


def strings_in(schema, key):
    """Everything that stands in the lists under a key, anywhere in a schema."""
    if isinstance(schema, list):
        return [found for part in schema for found in strings_in(part, key)]
    if not isinstance(schema, dict):
        return []
    here = schema[key] if isinstance(schema.get(key), list) else []
    return [*here, *(found for part in schema.values() for found in strings_in(part, key))]


EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHIPPED = [
    path for path in sorted(EXPERIMENTS.rglob("*.yaml")) if "\nparameters:" not in path.read_text()
]  # those are sweeps
RIGHT = [
    [],
    ["architecture.loss={name: toy_preset, strength: {linear: [1, 0], over_kimg: 3}}"],
    ["optimizers.generator.lr={steps: {0: 5.0e-4, 1600: 5.0e-5}, in: rounds}"],
    ["ema.half_life_kimg={cosine: [1, 2], over_rounds: 100, from_rounds: 3}"],
    ["ema.half_life_kimg={linear: [1, '${seed}'], over_kimg: '${kimg}'}"],
    ["optimizers.generator.betas=[0.5, {steps: {0: 0.1}}]", "ema=null", "architecture.loss=ganlab-toy/toy"],
]


@pytest.mark.parametrize("overrides", RIGHT)
def test_accepts_what_is_right(validator, toy_spec, overrides):
    spec = json.loads(json.dumps(load_spec(toy_spec, overrides).tree.plain()))
    assert [error.message for error in validator.iter_errors(spec)] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(EXPERIMENTS)))
def test_accepts_every_shipped_spec_as_it_is_written(installed_validator, path):
    errors = installed_validator.iter_errors(yaml.safe_load(path.read_text()))
    assert [f"{list(error.absolute_path)}: {error.message[:200]}" for error in errors] == []


def test_editors_are_offered_plain_names_only(validator):
    offered = [name for name in strings_in(validator.schema, "enum") if "/" in str(name)]
    assert offered == []
    assert validator.schema["$defs"]["losses"]["anyOf"][0]["anyOf"][0]["enum"].count("toy") == 1


def test_accepts_interpolations_and_partial_specs(validator):
    for text in ["extends: a.yaml\ndata: {batch_size: '${seed}'}", "extends: [a]\noptimizers: {generator: {lr: 1}}"]:
        assert validator.is_valid(yaml.safe_load(text))
    assert not validator.is_valid({"name": "a"})


@pytest.mark.parametrize(
    "mutation",
    [
        ("misspell", ("ema",), "emma"),
        ("misspell", ("trainer", "devices"), "device"),
        ("set", ("data", "batch_size"), 0),
        ("set", ("data", "name"), "toyy"),
        ("set", ("architecture", "loss"), "hing"),
        ("set", ("architecture", "loss", "margin"), "x"),
        ("set", ("architecture", "discriminator", "activation"), "tahn"),
        ("set", ("architecture", "regularizers", 0, "every"), 0.5),
        ("set", ("optimizers", "generator", "lr"), {"linear": [1]}),
        ("drop", ("kimg",), None),
    ],
)
def test_refuses_what_is_wrong(validator, mutation):
    assert not validator.is_valid(yaml.safe_load(mutated(*mutation)))


def test_lists_options_with_their_texts_for_editors(validator):
    nodes = validator.schema["$defs"]["generators"]["anyOf"]
    (node,) = [node for node in nodes if "toy" in strings_in(node.get("properties", {}).get("name"), "enum")]
    assert set(node["properties"]) == {"name", "shape", "latent_size", "width"}
    assert node["properties"]["width"]["description"] == "Units of the hidden layer."


def test_a_broken_plugin_is_left_out_with_a_warning(toy, install):
    install("bad-pack", {"losses": {"bad": "bad_pack:Bad"}}, {"bad_pack": "1 / 0"})
    for make in (json_schema, markdown):
        warnings = []
        made = make(warnings.append)
        assert len(warnings) == 1
        assert "bad-pack 1.0" in warnings[0]
        assert "bad-pack" not in str(made)
        assert "toy_preset" in str(made)


def test_the_reference_lists_every_key_and_option(toy):
    text = markdown(pytest.fail)
    keys = list(yaml.safe_load(TOY_SPEC))
    for word in [*keys, "micro_batch", "half_life_kimg", "toy_preset", "margin", "clip"]:
        assert f"`{word}`" in text
    assert "| `width` | an integer | 8 | Units of the hidden layer. |" in text
    said = "Distances to margins; `margin` is how far logits have to be from 0."
    assert f"| `margin` | a number or a schedule | 1.0 | {said} |" in text
    assert "| `name` | text of length 1 or more | required |" in text


PRESET = """
from ganlab import Preset

def both(weight: float = 2.0) -> Preset:
    '''Stand for two.

    Args:
        weight: of both.
    '''
    return Preset({"regularizers": []})
"""


def test_a_preset_takes_its_own_options_only(toy, install):
    """The keys that the platform adds to a node belong to the nodes that the preset stands for."""
    install("ganlab-both", {"regularizers": {"both": "ganlab_both:both"}}, {"ganlab_both": PRESET})
    section = markdown(pytest.fail).partition("### `both`")[2].partition("###")[0]
    assert "| `weight` | a number | 2.0 | Of both. |" in section
    assert "`every`" not in section
    schema = json.loads(json.dumps(json_schema(pytest.fail)))
    nodes = jsonschema.Draft202012Validator({"$ref": "#/$defs/regularizers", "$defs": schema["$defs"]})
    assert nodes.is_valid({"name": "both", "weight": 1.0})
    assert not nodes.is_valid({"name": "both", "every": 4})
