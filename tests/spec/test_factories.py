"""A node that is built several times: an argument annotated `Factory[...]`."""

from __future__ import annotations

import json

import pytest
import torch

from ganlab.builder import Builder
from ganlab.contracts import DataFacts
from ganlab.errors import SpecError
from ganlab.spec import dump, node_from, read_spec
from ganlab.spec.json_schema import json_schema

PYRAMID = """
from collections.abc import Sequence

import torch
from torch import nn

from ganlab import Factory
from ganlab.contracts import Generator, Normalizer, Scheduled


class Level(nn.Module):
    latent_size = 2

    def __init__(self, channels: int, resolution: int, width: int = 4, slope: Scheduled = 0.2,
                 normalizer: Normalizer | None = None) -> None:
        super().__init__()
        self.resolution, self.width, self.normalizer = resolution, width, normalizer
        self.slope = slope
        self.layer = nn.Linear(2, channels * width)


class Pyramid(nn.Module):
    def __init__(self, generator: Factory[Generator], levels: int = 3,
                 more: Sequence[Factory[Generator]] = ()) -> None:
        super().__init__()
        self.levels = nn.ModuleList(generator(resolution=4 * 2**level) for level in range(levels))
        self.own = generator()
        self.more = nn.ModuleList(make(width=make_width) for make_width, make in enumerate(more, start=7))


class Careless(nn.Module):
    def __init__(self, generator: Factory[Generator]) -> None:
        super().__init__()
        generator(wdith=3)
"""
FACTS = DataFacts((3, 32, 32), 8, "toy")


@pytest.fixture
def pyramid(install, toy):
    generators = {"level": "pyramids:Level", "pyramid": "pyramids:Pyramid", "careless": "pyramids:Careless"}
    install("ganlab-pyramids", {"generators": generators}, {"pyramids": PYRAMID})


def built(**options):
    torch.manual_seed(0)
    return Builder(FACTS).construct(node_from("generators", {"name": "pyramid", **options}), "generator")


def test_each_call_builds_an_instance_of_its_own_with_facts_and_changes(pyramid):
    made = built(generator={"name": "level", "width": 5, "normalizer": "toy"})
    assert [level.resolution for level in made.levels] == [4, 8, 16]
    assert (made.own.resolution, made.own.width) == (32, 5)
    assert all(level.layer.out_features == 3 * 5 for level in made.levels)  # channels come from the data
    weights = [level.layer.weight for level in [*made.levels, made.own]]
    assert all(not torch.equal(one, other) for one, other in zip(weights, weights[1:], strict=False))
    normalizers = [level.normalizer for level in made.levels]
    assert len(set(map(id, normalizers))) == 3
    again = built(generator={"name": "level", "width": 5, "normalizer": "toy"})
    pairs = zip(made.levels, again.levels, strict=True)
    assert all(torch.equal(one.layer.weight, other.layer.weight) for one, other in pairs)


def test_lists_of_factories(pyramid):
    made = built(generator="level", more=["level", {"name": "level", "width": 9}])
    assert [level.width for level in made.more] == [7, 8]


def test_it_is_written_as_any_node(pyramid, toy_spec, tmp_path):
    override = "architecture.generator={name: pyramid, generator: {name: level, width: 6}}"
    spec = read_spec(toy_spec, [override])
    inner = spec.architecture.options["generator"].options["generator"]
    assert (inner.name, inner.options["width"], inner.repeatable) == ("level", 6, True)
    (tmp_path / "copy.yaml").write_text(dump(spec))
    assert read_spec(tmp_path / "copy.yaml") == spec
    schema = json.loads(json.dumps(json_schema(pytest.fail)))
    node = next(part for part in schema["$defs"]["generators"]["anyOf"] if "levels" in part.get("properties", {}))
    assert node["properties"]["generator"]["anyOf"][0] == {"$ref": "#/$defs/generators"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"generator": "lvel"}, "generator: there is no plugin 'lvel'"),
        ({"generator": {"name": "level", "width": "x"}}, "generator.width: needs an integer"),
        (
            {"generator": {"name": "level", "slope": {"linear": [1, 0], "over_kimg": 1}}},
            "generator.slope: cannot follow a schedule, as generator is built several times",
        ),
        ({}, "generator: is missing: pyramid needs a node of the generators"),
    ],
)
def test_what_cannot_be_is_a_sentence(pyramid, options, sentence):
    with pytest.raises(SpecError) as caught:
        node_from("generators", {"name": "pyramid", **options})
    assert sentence in str(caught.value)


def test_an_option_that_there_is_not_is_named_with_the_nearest(pyramid):
    node = node_from("generators", {"name": "careless", "generator": "level"})
    with pytest.raises(SpecError, match=r"top.generator: level has no option 'wdith'.*did you mean 'width'"):
        Builder(FACTS).construct(node, "top")


def test_a_fact_that_contradicts_the_data_is_refused_unless_the_plugin_changes_it(pyramid):
    node = node_from("generators", {"name": "pyramid", "generator": {"name": "level", "resolution": 16}})
    with pytest.raises(SpecError, match=r"top.generator.resolution: the spec says 16, but the data have 32"):
        Builder(FACTS).construct(node, "top")
