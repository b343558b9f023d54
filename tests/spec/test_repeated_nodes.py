"""Regularizers and metrics that stand in a list more than once, each under a name of its own."""

from __future__ import annotations

import pytest
import torch

from ganlab.build import build_dataset, build_metrics, build_module
from ganlab.contracts import Views
from ganlab.errors import SpecError
from ganlab.evaluation.evaluator import Evaluator
from ganlab.spec import dump, read_spec

TWICE = "architecture.regularizers=[toy, {name: toy, power: 1, weight: 3}]"
NAMED = "architecture.regularizers=[toy, {name: toy, power: 1, alias: linear}]"


def module_of(path, *overrides):
    spec = read_spec(path, overrides)
    return build_module(spec, build_dataset(spec.data).facts)


@pytest.mark.parametrize(("override", "second", "weight"), [(TWICE, "toy_2", 3.0), (NAMED, "linear", 1.0)])
def test_each_penalty_is_a_term_of_its_own(toy_spec, override, second, weight):
    module = module_of(toy_spec, override)
    penalties = module.penalties("discriminator", Views(real_logits=torch.tensor([-3.0, 1.0])))
    assert {name: float(value) for name, value in penalties.items()} == {"toy": 5.0, second: 2.0 * weight}


def test_it_reads_back_as_the_same_spec(toy_spec, tmp_path):
    spec = read_spec(toy_spec, [NAMED, "evaluation.metrics=[toy, {name: toy, digits: 1}]"])
    (tmp_path / "copy.yaml").write_text(dump(spec))
    assert read_spec(tmp_path / "copy.yaml") == spec


@pytest.mark.parametrize("where", ["architecture.regularizers", "evaluation.metrics"])
@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ("[toy, toy]", "1: 'toy' stands in the list already, with the same options"),
        ("[toy, {name: toy, alias: toy}]", "1: another one of this list is called 'toy', too"),
        ("[{name: toy, alias: a/b}]", "0.alias: names numbers of the log: it takes letters"),
    ],
)
def test_two_that_cannot_be_told_apart_are_refused(toy_spec, where, nodes, sentence):
    with pytest.raises(SpecError) as caught:
        read_spec(toy_spec, [f"{where}={nodes}"])
    assert f"{where}.{sentence}" in str(caught.value)


@pytest.mark.parametrize(
    ("own", "names"),
    [("toy", ["toy"]), ("{name: toy, alias: mine}", ["toy", "mine"]), ("{name: toy, alias: toy}", ["toy"])],
)
def test_a_node_replaces_the_presets_of_its_name_and_stands_beside_others(toy_spec, own, names):
    module = module_of(toy_spec, "architecture.loss=toy_preset", f"architecture.regularizers=[{own}]")
    assert [term.name for term in module.regularizers] == names


def test_repeated_metrics_keep_their_plugin_and_version(toy_spec):
    spec = read_spec(toy_spec, ["evaluation.metrics=[ganlab-toy/toy, {name: toy, digits: 1}, {name: toy, alias: own}]"])
    nodes = spec.evaluation.metrics
    data = build_dataset(spec.data)
    module = build_module(spec, data.facts)
    results = Evaluator(build_metrics(nodes, data.facts), data, nodes, samples=4).evaluate(module)
    assert [result.metric for result in results] == ["toy", "toy_2", "own"]
    assert {name for result in results for name in result.values} == {"toy/mean", "toy_2/mean", "own/mean"}
    for result in results:
        protocol = result.protocol
        assert (protocol["plugin"], protocol["distribution"], protocol["version"]) == ("toy", "ganlab-toy", "1.0")
