from __future__ import annotations

import math

import pytest
import yaml

from ganlab.errors import SpecError
from ganlab.spec.document import Origin
from ganlab.spec.yaml_reader import MAX_BYTES, MAX_DEPTH, read_yaml


def plain(text):
    return read_yaml(text, "a.yaml").plain()


def test_agrees_with_pyyaml_where_yaml_1_1_and_1_2_agree():
    text = "a: [1, -2, 3.5, text, 'quoted 1', null, ~]\nb: {c: true, d: false, e: }\nf: |\n  two\n  lines\n"
    assert plain(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("2E3", 2000.0),
        ("+.5", 0.5),
        ("-1.", -1.0),
        (".inf", math.inf),
        ("007", 7),
        ("yes", "yes"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("2020-01-01", "2020-01-01"),
        ("'true'", "true"),
        ('"1"', "1"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    assert plain(f"a: {text}") == {"a": value}


def test_every_value_knows_its_line_and_column():
    tree = read_yaml("a: 1\nb:\n  c:\n    - x\n    - {d: 2}\n", "a.yaml")
    places = {path: (value.origin.line, value.origin.column) for path, value in tree.leaves()}
    assert places == {("a",): (1, 1), ("b", "c", 0): (4, 7), ("b", "c", 1, "d"): (5, 8)}
    assert tree.get("b", "c").origin == Origin("a.yaml", 3, 3)


def test_anchors_repeat_values():
    assert plain("a: &x {b: [1]}\nc: *x\n") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_numbers_are_keys_of_steps_only():
    assert plain("lr: {steps: {0: 1.0, 0.5: 2.0}}") == {"lr": {"steps": {0: 1.0, 0.5: 2.0}}}


REFUSED = [
    ("a: !!python/object/apply:os.system [ls]", 1, "no tags"),
    ("a: !thing b", 1, "no tags"),
    ("a: ! b", 1, "no tags"),
    ("x: 1\na: &b [1, *b]", 2, "contains itself"),
    ("x: 1\na: *b", 2, ""),
    ("a: 1\nb: 2\na: 3", 3, "already given in line 1"),
    ("a: 1\n2: 3", 2, "a key is text, not '2'"),
    ("null: 1", 1, "a key is text"),
    ("true: 1", 1, "a key is text"),
    ("? [a]\n: 1", 1, "plain word"),
    ("a: {<<: {b: 1}}", 1, "merge keys"),
    ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 1, "nested at most"),
    ("a: " + "{b: " * 5000 + "1" + "}" * 5000, 1, "nested at most"),
    ("a: 1\n---\nb: 2", 2, "one YAML document"),
    ("a: 1\n b: 2", 2, "not YAML"),
    ("a: [1, 2", None, "not YAML"),
    ("a: 'x", None, "not YAML"),
    ("a: @x", 1, "not YAML"),
    ("a: \x07", None, "not YAML"),
    ("\t- x", None, "not YAML"),
]


@pytest.mark.parametrize(("text", "line", "sentence"), REFUSED)
def test_surprises_are_refused_with_their_place(text, line, sentence):
    with pytest.raises(SpecError) as caught:
        read_yaml(text, "a.yaml")
    assert str(caught.value).startswith(f"a.yaml:{line}: " if line else "a.yaml")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_alias_bomb_is_refused_before_it_explodes():
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(SpecError, match="at most 100000 values"):
        plain("\n".join(layers))


def test_megabytes_are_refused():
    with pytest.raises(SpecError, match="at most 1000 kB"):
        plain("a: " + "x" * MAX_BYTES)


def test_the_python_parser_refuses_the_same(monkeypatch):
    monkeypatch.setattr("ganlab.spec.yaml_reader._LOADER", yaml.SafeLoader)
    for text, _, _ in REFUSED:
        with pytest.raises(SpecError):
            plain(text)
    assert plain("a: [1, 'b']") == {"a": [1, "b"]}
