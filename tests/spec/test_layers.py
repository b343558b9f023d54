from __future__ import annotations

import os

import pytest

from ganlab.errors import SpecError
from ganlab.spec import load_spec
from tests.toy import TOY_SPEC


@pytest.fixture
def write(tmp_path):
    def write(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return str(tmp_path / f"{next(iter(files))}.yaml")

    return write


def merged(base, overlay, write):
    return load_spec(write(top=f"extends: base.yaml\n{overlay}", base=base)).tree.plain()


def test_the_later_file_wins_and_mappings_merge(write):
    path = write(
        top="extends: [one.yaml, two.yaml]\nd: {z: 9}",
        one="a: 1\nb: 1\nd: {x: 1, y: [1, 2]}",
        two="b: 2\nd: {y: [3]}",
    )
    assert load_spec(path).tree.plain() == {"a": 1, "b": 2, "d": {"x": 1, "y": [3], "z": 9}}


def test_extends_is_relative_to_its_file_and_may_be_chained(write, tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "far.yaml").write_text("a: 1\nb: 1")
    (tmp_path / "base" / "near.yaml").write_text("extends: far.yaml\nb: 2")
    assert load_spec(write(top="extends: base/near.yaml\nc: 3")).tree.plain() == {"a": 1, "b": 2, "c": 3}


def test_origins_name_the_file_and_line_that_won(write, tmp_path):
    tree = load_spec(write(top="extends: base.yaml\n\nb: {c: 2}", base="a: 1\nb: {c: 1, d: 1}"), ["b.e=5"]).tree
    assert str(tree.get("a").origin) == f"{tmp_path}/base.yaml:1"
    assert str(tree.get("b", "c").origin) == f"{tmp_path}/top.yaml:3"
    assert str(tree.get("b", "d").origin) == f"{tmp_path}/base.yaml:2"
    assert str(tree.get("b", "e").origin) == "override 'b.e=5'"


@pytest.mark.parametrize(
    ("base", "overlay", "expected"),
    [
        ("x: {loss: hinge}", "x: {loss: {margin: 2}}", {"x": {"loss": {"name": "hinge", "margin": 2}}}),
        ("x: {loss: {name: a, margin: 2}}", "x: {loss: b}", {"x": {"loss": {"name": "b"}}}),
        ("x: {loss: {name: a, margin: 2}}", "x: {loss: a}", {"x": {"loss": {"name": "a", "margin": 2}}}),
        ("x: {name: a, m: 2}", "x: {name: b, n: 1}", {"x": {"name": "b", "n": 1}}),
        ("x: {name: a, m: 2}", "x: null", {"x": None}),
        ("x: null", "x: {m: 2}", {"x": {"m": 2}}),
        ("name: a\nm: 2", "name: b", {"name": "b", "m": 2}),
        (
            "data: {name: a, size: 3, batch_size: 8, flip: true}",
            "data: b",
            {"data": {"batch_size": 8, "flip": True, "name": "b"}},
        ),
        (
            "optimizers: {generator: {name: a, lr: 1, clip: 2}}",
            "optimizers: {generator: b}",
            {"optimizers": {"generator": {"clip": 2, "name": "b"}}},
        ),
        (
            "lr: {linear: [1, 0], over_kimg: 5}",
            "lr: {cosine: [2, 0], over_kimg: 6}",
            {"lr": {"cosine": [2, 0], "over_kimg": 6}},
        ),
        ("lr: {linear: [1, 0], over_kimg: 5}", "lr: {over_kimg: 6}", {"lr": {"linear": [1, 0], "over_kimg": 6}}),
        ("lr: {linear: [1, 0], over_kimg: 5}", "lr: 3", {"lr": 3}),
    ],
)
def test_nodes_and_schedules_change_as_a_whole(base, overlay, expected, write):
    assert merged(base, overlay, write) == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("a.b=2", {"a": {"b": 2}, "l": [{"name": "r", "w": 1}, "s"]}),
        ("a.b=1e-3", {"a": {"b": 1e-3}, "l": [{"name": "r", "w": 1}, "s"]}),
        ("a=", {"a": None, "l": [{"name": "r", "w": 1}, "s"]}),
        ("a={c: [1, x]}", {"a": {"b": 1, "c": [1, "x"]}, "l": [{"name": "r", "w": 1}, "s"]}),
        ("l.0.w=5", {"a": {"b": 1}, "l": [{"name": "r", "w": 5}, "s"]}),
        ("l[0].w=5", {"a": {"b": 1}, "l": [{"name": "r", "w": 5}, "s"]}),
        ("l.1.w=5", {"a": {"b": 1}, "l": [{"name": "r", "w": 1}, {"name": "s", "w": 5}]}),
        ("l=[]", {"a": {"b": 1}, "l": []}),
        ("a.b.steps={0: 1}", {"a": {"b": {"steps": {0: 1}}}, "l": [{"name": "r", "w": 1}, "s"]}),
        ("new.x=a=b", {"a": {"b": 1}, "l": [{"name": "r", "w": 1}, "s"], "new": {"x": "a=b"}}),
    ],
)
def test_overrides(override, expected, write):
    path = write(top="a: {b: 1}\nl: [{name: r, w: 1}, s]")
    assert load_spec(path, [override]).tree.plain() == expected


def test_the_last_override_wins(write):
    assert load_spec(write(top="a: 1"), ["a=2", "a=3"]).tree.plain() == {"a": 3}


@pytest.mark.parametrize(
    "override", ["a", "=1", "a..b=1", ".a=1", "a b=1", "a.=1", "a[x]=1", "extends=b", "a=[", "a=!x"]
)
def test_a_malformed_override_is_quoted(override, write):
    with pytest.raises(SpecError) as caught:
        load_spec(write(top="a: 1"), [override])
    assert f"override '{override}'" in str(caught.value)


def test_the_example_of_an_override_is_one_that_a_spec_takes(write):
    with pytest.raises(SpecError) as caught:
        load_spec(write(top="a: 1"), ["a"])
    example = str(caught.value).rpartition(" or ")[2]
    changed = load_spec(write(top=TOY_SPEC), [example]).tree.plain()
    assert changed["architecture"]["regularizers"][0]["weight"] == 2


@pytest.mark.parametrize("override", ["l.2=x", "l.9.w=1", "n.0=1"])
def test_an_index_outside_the_list_is_refused(override, write):
    with pytest.raises(SpecError, match="item|items"):
        load_spec(write(top="l: [1, 2]\nn: 3"), [override])


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"top": "extends: top.yaml"}, "extends itself"),
        ({"top": "extends: a.yaml", "a": "extends: top.yaml"}, "extends itself"),
        ({"top": "x: 1\nextends: nowhere.yaml"}, r"top.yaml:2: cannot read the spec '.*nowhere.yaml'"),
        ({"top": "extends: 3"}, "top.yaml:1: extends: needs the path"),
        ({"top": "extends: []"}, "needs the path"),
        ({"top": "extends: [a.yaml, {b: 1}]", "a": "x: 1"}, "needs the path"),
        ({"top": "extends: a.yaml", "a": "x: [1"}, "a.yaml"),
        ({"top": "- a"}, "a spec is a mapping"),
        ({"top": ""}, "a spec is a mapping"),
        ({"top": "# only a comment"}, "a spec is a mapping"),
    ],
)
def test_files_that_cannot_be_read(files, sentence, write):
    with pytest.raises(SpecError, match=sentence):
        load_spec(write(**files))


def test_doubling_extends_is_refused(write):
    files = {f"f{n}": f"extends: [f{n + 1}.yaml, f{n + 1}.yaml]" for n in range(20)}
    with pytest.raises(SpecError, match="at most 100 files"):
        load_spec(write(**files, f20="a: 1"))


def test_no_file_no_text_and_a_folder(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00a")
    for name in ("missing.yaml", "binary.yaml", "."):
        with pytest.raises(SpecError):
            load_spec(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("extended", ["pipe", "/dev/zero", "/dev/stdin", "."])
def test_nothing_but_files_is_read(write, tmp_path, extended):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError, match=r"top.yaml:2: cannot read the spec .* it is (a device|a folder)"):
        load_spec(write(top=f"x: 1\nextends: {extended}"))
    with pytest.raises(SpecError, match="cannot read the spec .* it is a device, a pipe or a socket and no file"):
        load_spec(tmp_path / "pipe")


def test_a_name_that_no_file_can_have_and_a_file_that_is_no_spec(write, tmp_path):
    with pytest.raises(SpecError, match=r"top.yaml:1: cannot read the spec '.*a\\x00b': no file has such a name"):
        load_spec(write(top='extends: "a\\0b"'))
    with (tmp_path / "large").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(SpecError, match="a spec has at most 1000 kB; is this the right file"):
        load_spec(tmp_path / "large")
