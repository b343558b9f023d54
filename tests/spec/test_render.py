from __future__ import annotations

import random

import pytest
import yaml

from ganlab.spec import dump, load_spec, read_spec, resolve_with_origins
from ganlab.spec.difference import differences, table
from ganlab.spec.render import annotated, flow, lines
from ganlab.spec.yaml_reader import read_yaml

OVERRIDES = [
    "architecture.loss={name: toy_preset, strength: {cosine: [0.1, 0.2], over_kimg: 0.3, from_kimg: 0.1}}",
    "optimizers.generator.betas=[0.5, {steps: {0: 0.9, 0.0015: 0.99}}]",
    "optimizers.discriminator.eps=1e-16",
    "ema.half_life_kimg={linear: [1, 2], over_kimg: 7}",
    "tracking.wandb.tags=['1', 'a: b', 'true', '', ' x', '#', 'é', \"new\\nline\"]",
    "evaluation.metrics=[]",
]


def test_a_dump_loads_back_to_an_equal_spec(toy_spec, tmp_path):
    spec = read_spec(toy_spec, OVERRIDES)
    (tmp_path / "again.yaml").write_text(dump(spec), encoding="utf-8")
    assert read_spec(tmp_path / "again.yaml") == spec


def test_a_dump_is_yaml_for_other_readers(toy_spec):
    loaded = yaml.safe_load(dump(read_spec(toy_spec, OVERRIDES)))
    assert loaded["optimizers"]["discriminator"]["eps"] == 1e-16
    assert loaded["tracking"]["wandb"]["tags"] == ["1", "a: b", "true", "", " x", "#", "é", "new\nline"]
    assert loaded["data"]["micro_batch"] is None


def test_any_text_survives(toy_spec, tmp_path):
    draw = random.Random(0)
    for _ in range(300):
        text = "".join(draw.choice("ab1.-:#{}[]$&*!|>'\"%@`,? \n\té\U0001f600~") for _ in range(draw.randint(0, 8)))
        if "${" not in text:
            assert read_yaml(f"a: {flow(text)}", "x").plain() == {"a": text}


def test_text_that_looks_like_an_interpolation_survives(toy_spec, tmp_path):
    spec = read_spec(toy_spec, ["tracking.wandb.group='\\${a}'"])
    assert spec.tracking.wandb.group == "${a}"
    (tmp_path / "again.yaml").write_text(dump(spec))
    assert read_spec(tmp_path / "again.yaml") == spec


@pytest.mark.parametrize("number", [1e-5, 1e22, 0.1, -3.0, 2.5e-300, 123456789.0, 1e16])
def test_numbers_keep_their_type_and_value_for_every_reader(number):
    text = f"a: {flow(number)}"
    assert repr(read_yaml(text, "x").plain()["a"]) == repr(yaml.safe_load(text)["a"]) == repr(number)


def test_nested_lists_and_mappings():
    content = {"a": [{"b": [{"c": 1}, 2]}, "x", []], "d": {}, "e": {"f": {"g": None}}}
    text = "\n".join(line for line, _ in lines(content))
    assert read_yaml(text, "x").plain() == content == yaml.safe_load(text)


def test_comments_tell_the_origin_of_each_value_and_change_nothing(toy_spec, tmp_path):
    resolution = resolve_with_origins(load_spec(toy_spec, ["seed=7"]))
    text = annotated(resolution.spec, resolution.origin)
    comments = dict(line.split("#") for line in text.splitlines() if "#" in line)
    found = {value.strip(): origin.strip() for value, origin in comments.items()}
    assert found["seed: 7"] == "override 'seed=7'"
    assert found["kimg: 0.064"] == f"{toy_spec}:3"
    assert found["non_finite: stop"] == "default"
    (tmp_path / "again.yaml").write_text(text)
    assert read_spec(tmp_path / "again.yaml") == resolution.spec


def test_a_name_that_others_offer_too_is_written_with_its_distribution(install, toy_spec, tmp_path):
    source = "class Loss:\n def discriminator(self, *logits): ...\n def generator(self, *logits): ..."
    install("rival-pack", {"losses": {"toy": "rival_pack:Loss"}}, {"rival_pack": source})
    spec = read_spec(toy_spec, ["architecture.loss=ganlab-toy/toy"])
    assert "name: ganlab-toy/toy" in dump(spec)
    (tmp_path / "again.yaml").write_text(dump(spec))
    assert read_spec(tmp_path / "again.yaml") == spec


def test_differences_compare_resolved_values(toy_spec):
    def found(left, right):
        both = [resolve_with_origins(load_spec(toy_spec, overrides)) for overrides in (left, right)]
        return differences(*both)

    assert found([], ["architecture.generator.width=8", "kimg=0.064"]) == []  # as the default says
    (margin,) = found([], ["architecture.loss.margin={steps: {0: 1, 1: 2}}"])
    assert (margin.key, margin.left, margin.right) == (
        "architecture.loss.margin",
        "1.0",
        "{steps: {0.0: 1.0, 1.0: 2.0}}",
    )
    assert (margin.left_origin, margin.right_origin[:8]) == (f"{toy_spec}:13", "override")
    gone = found(["evaluation=null"], [])
    assert {(each.key, each.left, each.right) for each in gone} >= {
        ("evaluation", "null", "-"),
        ("evaluation.samples", "-", "16"),
    }
    assert table(gone).splitlines()[0].split() == [
        "evaluation",
        "null",
        "->",
        "-",
        "(override",
        "'evaluation=null'",
        "->",
        "-)",
    ]
