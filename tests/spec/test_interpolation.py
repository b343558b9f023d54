"""`${...}` in a spec: another of its values, and nothing of the machine around it."""

from __future__ import annotations

import pytest

from ganlab.errors import SpecError
from ganlab.spec import load_spec


@pytest.fixture
def write(tmp_path):
    """Writes a spec file and returns its path."""

    def made(top):
        (tmp_path / "top.yaml").write_text(top)
        return tmp_path / "top.yaml"

    return made


def test_interpolation(write):
    tree = load_spec(
        write(top="a: 2\nb: ${a}\nc: x-${a}\nd: {e: [1, {f: 2}]}\ng: ${d}\nh: {i: '${..b}'}"), ["a=3"]
    ).tree
    assert tree.plain() == {
        "a": 3,
        "b": 3,
        "c": "x-3",
        "d": {"e": [1, {"f": 2}]},
        "g": {"e": [1, {"f": 2}]},
        "h": {"i": 3},
    }
    assert tree.get("g", "e", 1, "f").origin.line == 5


@pytest.mark.parametrize(
    "text",
    [
        "a: ${b}",
        "a: ${b",
        "a: ${b}\nb: ${a}",
        "a: ${nothing:1}",
        "a: '${a}'",
        "a: ${}",
        "a: ${...b}",
        "a: {x: '${a}'}",
    ],
)
def test_an_interpolation_that_leads_nowhere_names_its_key(text, write):
    with pytest.raises(SpecError, match=r"top.yaml:1: a(\.x)?: the interpolation cannot be resolved"):
        load_spec(write(top=text))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a: {b: 3, c: '${.b}'}", {"a": {"b": 3, "c": 3}}),
        ("a: [1, {x: 5}]\nb: '${a[1].x}${a.0}'", {"a": [1, {"x": 5}], "b": "51"}),
        ("n: a\na: {k: 1}\nb: '${${n}.k}'", {"n": "a", "a": {"k": 1}, "b": 1}),
        ("d: {e: 1}\na: '${d}'\nb: '${a.e}'", {"d": {"e": 1}, "a": {"e": 1}, "b": 1}),
        ("a: null\nb: '${a}'\nc: ''\nd: '${c}'", {"a": None, "b": None, "c": "", "d": ""}),
        ("a: '\\${b}'\nc: '${a}'", {"a": "${b}", "c": "${b}"}),
        ("a: {1: x}\nb: '${a.1}'", {"a": {1: "x"}, "b": "x"}),
    ],
)
def test_what_references_mean(text, plain, write):
    assert load_spec(write(text)).tree.plain() == plain


@pytest.mark.parametrize("text", ["${oc.env:SECRET}", "x-${ oc.env : SECRET }", "${${a}:SECRET}", "${oc.decode:'1'}"])
@pytest.mark.parametrize("how", ["file", "override"])
def test_the_environment_is_not_read(text, how, write, monkeypatch):
    """Its values landed in `spec.yaml` and on W&B's server."""
    monkeypatch.setenv("SECRET", "hunter2")
    file, overrides = (f'a: oc.env\nb: "{text}"', []) if how == "file" else ("a: oc.env", [f'b="{text}"'])
    with pytest.raises(
        SpecError, match="neither the environment nor anything else outside of it can be read"
    ) as caught:
        load_spec(write(file), overrides)
    assert "hunter2" not in str(caught.value)
    assert ": b: " in str(caught.value)


def test_an_environment_of_the_shell_s_is_a_value_like_others(write):
    assert load_spec(write("a: 1"), ["b=hunter2"]).tree.plain()["b"] == "hunter2"


BOMBS = {
    "doubling text": [*(f"a{i}: '${{a{i + 1}}}${{a{i + 1}}}'" for i in range(49)), "a49: text"],
    "doubling lists": [*(f"a{i + 1}: ['${{a{i}}}', '${{a{i}}}']" for i in range(60)), "a0: x"],
    "deep mappings": [*(f"a{i + 1}: {{x: '${{a{i}}}'}}" for i in range(300)), "a0: x"],
    "nested names": ["a: " + "${" * 400 + "}" * 400],
    "unclosed": ["a: '" + "${" * 10_000 + "'"],
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("bomb", BOMBS)
def test_what_would_explode_is_refused(bomb, write):
    """1.6 kB once took minutes."""
    with pytest.raises(SpecError, match="the interpolation cannot be resolved"):
        load_spec(write("\n".join(BOMBS[bomb])))
