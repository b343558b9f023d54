"""What a plugin's distribution needs of others: for its examples always, for its experiments and tests by an extra."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import pytest

from ganlab.plugins import Plugin, installed
from ganlab.spec import read_spec
from ganlab.spec.model import nodes_within
from ganlab.sweeps.file import is_sweep_file
from ganlab.testing.examples import example_node, is_preset
from tests.test_house_rules import PLUGINS, ROOT, distribution, imports_of, package, project

EXPERIMENTS = [path for path in sorted((ROOT / "experiments").rglob("*.yaml")) if not is_sweep_file(path)]
OURS = {distribution(plugin) for plugin in PLUGINS}
WITH_EXAMPLES = ("architectures", "generators", "discriminators", "latents", "metrics", "normalizers", "regularizers")

plugins = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)


def names(needs: Iterable[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", need)[0] for need in needs}


def depended(plugin) -> set[str]:
    return {distribution(plugin)} | names(project(plugin)["dependencies"])


def with_experiments(plugin) -> set[str]:
    return depended(plugin) | names(project(plugin).get("optional-dependencies", {}).get("experiments", ()))


def offered_by(plugin) -> list[Plugin]:
    return [
        each
        for kind in WITH_EXAMPLES
        for each in installed(kind)
        if each.distribution == distribution(plugin) and not is_preset(kind, each.reference)
    ]


@cache
def named_by_experiments() -> dict[str, set[str]]:
    """Distributions that the specs of `experiments/` name, by the distribution of their architecture."""
    found = defaultdict(set)
    for path in EXPERIMENTS:
        spec = read_spec(path)
        found[spec.architecture.distribution] |= {node.distribution for node in nodes_within(spec)} & OURS
    return found


@plugins
def test_examples_need_only_what_is_depended_on(plugin):
    for each in offered_by(plugin):
        named = {node.distribution for node in nodes_within(example_node(each.kind, each.reference))}
        assert named & OURS <= depended(plugin), f"the example of {each}"


@plugins
def test_experiments_need_only_what_is_depended_on_or_brought_by_the_extra(plugin):
    assert named_by_experiments()[distribution(plugin)] <= with_experiments(plugin)


@plugins
def test_tests_import_only_what_is_depended_on_or_brought_by_the_extra(plugin):
    imported = {other for other in PLUGINS if package(other) in imports_of(plugin / "tests")}
    assert set(map(distribution, imported)) <= with_experiments(plugin)


@plugins
def test_the_extra_brings_only_what_is_used(plugin):
    imported = {distribution(other) for other in PLUGINS if package(other) in imports_of(plugin / "tests")}
    assert with_experiments(plugin) - depended(plugin) <= named_by_experiments()[distribution(plugin)] | imported
