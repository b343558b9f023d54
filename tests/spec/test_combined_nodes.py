"""A list where one normalizer is expected stands for a normalizer that combines them."""

from __future__ import annotations

import json

import pytest

from ganlab.builder import Builder
from ganlab.contracts import DataFacts
from ganlab.errors import SpecError
from ganlab.nn import CombinedNormalizer
from ganlab.spec import dump, load_spec, read_spec
from ganlab.spec.json_schema import json_schema

LIST = "architecture.discriminator.normalizer=[toy, {name: ganlab-toy/toy}]"


def normalizer_of(spec):
    return spec.architecture.options["discriminator"].options["normalizer"]


def test_a_list_of_normalizers_is_a_combined_one(toy_spec):
    node = normalizer_of(read_spec(toy_spec, [LIST]))
    assert (node.kind, node.name, node.distribution) == ("normalizers", "combined", "ganlab")
    assert [part.name for part in node.options["parts"]] == ["toy", "toy"]
    built = Builder(DataFacts((1, 4, 4), 8, "toy")).construct(node, "normalizer")
    assert isinstance(built, CombinedNormalizer)
    assert len(built.parts) == 2


def test_it_reads_back_as_the_same_spec(toy_spec, tmp_path):
    spec = read_spec(toy_spec, [LIST])
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump(spec))
    assert read_spec(copy) == spec


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[toy, tyo]", r"normalizer\.1.* did you mean 'toy'"),
        ("[{name: toy, colour: red}]", r"normalizer\.parts\.0\.colour: unknown key"),
        ("[toy, 3]", r"normalizer\.parts\.1: needs a name"),
    ],
)
def test_problems_of_an_item_name_it(toy_spec, value, message):
    with pytest.raises(SpecError, match=message):
        read_spec(toy_spec, [f"architecture.discriminator.normalizer={value}"])


def test_other_kinds_take_no_list_where_they_want_one_node(toy_spec):
    with pytest.raises(SpecError, match=r"architecture\.loss: needs a node of the losses"):
        read_spec(toy_spec, ["architecture.loss=[toy]"])


def test_the_schema_knows_it(toy_spec, toy):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(json_schema(pytest.fail))))
    for overrides, right in (([LIST], True), (["architecture.loss=[toy]"], False)):
        spec = json.loads(json.dumps(load_spec(toy_spec, overrides).tree.plain()))
        assert validator.is_valid(spec) is right
