"""A new kind of plugin is one entry of `KINDS`: from then on everything knows it."""

from __future__ import annotations

import json

import pytest

from ganlab.builder import Builder
from ganlab.contracts import DataFacts
from ganlab.errors import PluginError, SpecError
from ganlab.kinds import KINDS, Kind
from ganlab.plugin_contracts import load
from ganlab.plugins import find, installed
from ganlab.scaffold import write_distribution
from ganlab.spec import node_from
from ganlab.spec.json_schema import json_schema
from ganlab.spec.reference import markdown
from ganlab.testing import check_plugin

JUDGES = """
from dataclasses import dataclass
from typing import Protocol

from ganlab.spec.model import Node


class Judge(Protocol):
    def score(self, image: float) -> float: ...


@dataclass(frozen=True)
class JudgeNode(Node):
    strict: bool = False


class Mild:
    '''Mild.

    Args:
        offset: what is added to every score.
    '''

    def __init__(self, offset: float = 1.0):
        self.offset = offset

    def score(self, image):
        return image + self.offset


class Wrong:
    def score(self): ...


class Jury:
    '''Judges as a list.'''

    def __init__(self, judge: Judge):
        self.judge = judge

    def discriminator(self, real_logits, fake_logits): ...
    def generator(self, real_logits, fake_logits): ...


def check_judge(name):
    from ganlab.testing import build_example, EXAMPLE_FACTS

    assert build_example("judges", name, EXAMPLE_FACTS["vectors"]).score(1.0) == 2.0, "a judge adds one"
"""


@pytest.fixture
def judges(install, monkeypatch):
    entry = Kind(
        "judges",
        contract="judging:Judge",
        protocols=("judging:Judge",),
        slot="judge",
        node="judging:JudgeNode",
        checks=("judging:check_judge",),
        template="ganlab:templates/metrics.txt",
    )
    monkeypatch.setitem(KINDS, entry.name, entry)
    plugins = {"judges": {"mild": "judging:Mild", "wrong": "judging:Wrong"}, "losses": {"jury": "judging:Jury"}}
    return install("ganlab-judging", plugins, {"judging": JUDGES})


def test_it_is_found_loaded_and_checked(judges):
    assert [plugin.name for plugin in installed("judges")] == ["mild", "wrong"]
    assert load(find("judges", "mild")).__name__ == "Mild"
    with pytest.raises(PluginError, match=r"contract of the judges: Wrong.score.*expected score\(image"):
        load(find("judges", "wrong"))


def test_it_is_nested_in_a_spec_with_its_own_keys_and_built(judges):
    node = node_from("losses", {"name": "jury", "judge": {"name": "mild", "offset": 3, "strict": True}})
    judge = node.options["judge"]
    assert (judge.kind, judge.options, judge.strict) == ("judges", {"offset": 3.0}, True)
    assert Builder(DataFacts((2,), 8, "toy")).construct(node, "loss").judge.score(1.0) == 4.0
    with pytest.raises(SpecError, match=r"judge: there is no plugin 'mlid' among the judges.*did you mean 'mild'"):
        node_from("losses", {"name": "jury", "judge": "mlid"})
    with pytest.raises(SpecError, match=r"strict: needs true or false"):
        node_from("losses", {"name": "jury", "judge": {"name": "mild", "strict": 1}})


def test_the_conformance_kit_tries_it(judges, monkeypatch):
    check_plugin("judges", "mild")
    monkeypatch.setattr("judging.Mild.score", lambda self, image: image)
    with pytest.raises(AssertionError, match="a judge adds one"):
        check_plugin("judges", "mild")


def test_its_slot_holds_no_other_values(judges, install):
    source = "class Bad:\n def __init__(self, judge: float = 1.0): ...\n def discriminator(self, real_logits, "
    source += "fake_logits): ...\n def generator(self, real_logits, fake_logits): ..."
    install("bad-pack", {"losses": {"bad": "bad_pack:Bad"}}, {"bad_pack": source})
    with pytest.raises(SpecError, match="'judge' of bad_pack:Bad must hold a plugin of kind judges"):
        node_from("losses", {"name": "bad"})


def test_schema_and_reference_show_it(judges):
    schema = json.loads(json.dumps(json_schema([].append)))
    assert "offset" in str(schema["$defs"]["judges"])
    assert "strict" in str(schema["$defs"]["judges"])
    assert "### `mild` (ganlab-judging)" in markdown([].append)


def test_a_new_plugin_of_it_is_written_from_its_template(judges, tmp_path):
    write_distribution("stern", "judges", tmp_path / "stern")
    assert '[project.entry-points."ganlab.judges"]' in (tmp_path / "stern/pyproject.toml").read_text()
    assert "class Stern" in (tmp_path / "stern/ganlab_stern/stern.py").read_text()
