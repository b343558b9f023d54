"""Everything that can be wrong with a spec, one thing at a time: each is a sentence that names the key."""

from __future__ import annotations

import contextlib
import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest
import yaml

from ganlab.build import rehearse
from ganlab.errors import SpecError, UserError
from ganlab.spec import Document, Origin, dump, read_spec, resolve
from ganlab.spec.document import located
from tests.toy import TOY_SPEC

Path = tuple[Any, ...]
REQUIRED = [
    ("name",),
    ("kimg",),
    ("data",),
    ("data", "name"),
    ("architecture",),
    ("architecture", "name"),
    ("architecture", "generator"),
    ("architecture", "discriminator"),
    ("architecture", "loss"),
    ("optimizers",),
    ("optimizers", "generator"),
    ("optimizers", "discriminator"),
    ("optimizers", "generator", "name"),
    ("architecture", "regularizers", 0, "name"),
]
CONTRADICTIONS: list[tuple[Path, Any]] = [
    (("name",), "../outside"),
    (("name",), ""),
    (("seed",), -1),
    (("kimg",), 0),
    (("kimg",), {"linear": [1, 2], "over_kimg": 3}),
    (("data", "batch_size"), 0),
    (("data", "micro_batch"), 9),
    (("data", "micro_batch"), 0),
    (("data", "workers"), -1),
    (("trainer", "devices"), 3),
    (("trainer", "devices"), 0),
    (("trainer", "precision"), "16-mixed"),
    (("optimizers", "encoder"), "adam"),
    (("optimizers", "generator", "lr"), {"linear": [1, 2]}),
    (("optimizers", "generator", "lr"), {"cosine": [1], "over_kimg": 3}),
    (("optimizers", "generator", "lr"), {"steps": {5: 0.1}}),
    (("optimizers", "generator", "amsgrad"), {"steps": {0: 1, 1: 0}}),
    (("optimizers", "generator", "betas"), [0.5]),
    (("optimizers", "generator", "betas"), [0.5, 0.5, 0.5]),
    (("optimizers", "generator", "clip"), 0),
    (("architecture", "discriminator", "activation"), "tahn"),
    (("architecture", "discriminator", "width"), {"steps": {0: 1}}),
    (("architecture", "discriminator_steps"), 0),
    (("architecture", "discriminator_steps"), {"steps": {0: 1, 2: 3}}),
    (("architecture", "regularizers"), [{"name": "toy_styled"}]),
    (("architecture", "regularizers"), ["toy", "toy"]),
    (("architecture", "regularizers"), "toy"),
    (("architecture", "regularizers", 0, "every"), 0),
    (("architecture", "generator"), ["toy"]),
    (("architecture", "generator"), None),
    (("architecture", "loss"), "toy_penalty"),
    (("architecture", "loss"), {"name": "toy_preset", "strenght": 1}),
    (("architecture", "loss"), {"name": "toy_preset", "strength": "a"}),
    (("architecture", "generator", "facts"), {"shape": [1]}),
    (("ema", "half_life_kimg"), 0),
    (("ema", "half_life_kimg"), {"linear": [1, 0], "over_kimg": 3}),
    (("ema", "ramp_up"), -1),
    (("checkpoint", "keep"), 0),
    (("checkpoint", "every_kimg"), float("nan")),
    (("evaluation", "samples"), 0),
    (("evaluation", "metrics"), "toy"),
    (("evaluation", "metrics"), [3]),
    (("snapshots", "grid"), [0, 8]),
    (("snapshots", "grid"), [8]),
    (("snapshots", "grid"), 8),
    (("tracking", "wandb", "mode"), "ofline"),
    (("tracking", "every_kimg"), float("inf")),
    (("guard",), {"non_finite": "halt"}),
    (("guard",), {"limit": 0}),
    (("guard",), None),
    (("kimg",), 1e30),
    (("kimg",), 1e-300),
    (("seed",), 2**63),
    (("data", "batch_size"), 10**12),
    (("data", "workers"), 10**9),
    (("trainer", "devices"), 10**9),
    (("trainer", "signals"), ["SIGKILL"]),
    (("trainer", "timeout_minutes"), 0),
    (("evaluation", "samples"), 10**18),
    (("snapshots", "grid"), [1, 100_000]),
    (("checkpoint", "keep"), 10**30),
    (("architecture", "discriminator", "width"), 10**30),
    (("architecture", "generator", "latent_size"), -(2**63)),
    (("architecture", "regularizers", 0, "weight"), -1),
    (("optimizers", "generator", "lr"), -1),
    (("optimizers", "generator", "lr"), {"linear": [1, -1], "over_kimg": 3}),
    (("optimizers", "generator", "betas"), [1, 1]),
    (("optimizers", "generator", "eps"), float("inf")),
]
EXTREMES = [-1, 0, -1.5, 1e30, 2**63, float("nan")]
MORE_EXTREMES = [1, -1e30, 1e-300, 10**9, 2**62, -(2**63), 10**400, float("inf")]
ODD_TEXT = ["", " ", "\0", "a\nb", "\x1b[31m", "../..", "x" * 5000, "{}", "!!python/name:os.system"]
WRONG_TYPES: dict[type, list[Any]] = {
    int: ["abc", True, 1.5, [1], {"a": 1}],
    float: ["abc", True, [1.0], {"a": 1}, float("nan")],
    str: [3, True, ["a"], {"a": 1}],
    type(None): ["abc", True, [1]],
}


def below(content: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of the spec with its path."""
    members = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in members:
        yield (*path, key), value
        yield from below(value, (*path, key))


def mutations(text: str = TOY_SPEC) -> list[tuple[str, Path, Any]]:
    spec = yaml.safe_load(text)
    found: list[tuple[str, Path, Any]] = []
    for path, value in below(spec):
        if isinstance(path[-1], str):
            found += [("misspell", path, path[-1] + "x"), ("misspell", path, "zzz")]
        if isinstance(value, dict):
            found += [("set", path, 3), ("set", path, ["a"])]
        elif not isinstance(value, list):
            found += [("set", path, wrong) for wrong in WRONG_TYPES[type(value)]]
        if path[-1] == "name" and len(path) > 1:
            found += [("set", path, "toyy"), ("set", path, "nowhere/toy"), ("set", path, "")]
        if isinstance(value, list):
            found += [("set", path, wrong) for wrong in ("abc", {"a": 1}, ["abc", []])]
    return found + [("drop", path, None) for path in REQUIRED]


def mutated(kind: str, path: Path, value: Any, text: str = TOY_SPEC) -> str:
    spec = copy.deepcopy(yaml.safe_load(text))
    holder = spec
    for key in path[:-1]:
        holder = holder.setdefault(key, {}) if isinstance(holder, dict) else holder[key]
    if kind == "set":
        holder[path[-1]] = value
    else:
        removed = holder.pop(path[-1])
        if kind == "misspell":
            holder[value] = removed
    return yaml.safe_dump(spec, sort_keys=False)


def named(kind: str, path: Path, value: Any) -> str:
    """The word that the message must contain: the nearest key that the user can look for."""
    if kind == "misspell":
        return value
    return next(key for key in reversed(path) if isinstance(key, str))


def unnoticed(mutations: list[tuple[str, Path, Any]], text: str, file: FilePath) -> list[str]:
    """The mutations that are accepted or whose message does not name the key and the file."""
    wrong = []
    for mutation in mutations:
        file.write_text(mutated(*mutation, text))
        try:
            read_spec(file)
            wrong.append(f"{mutation}: accepted")
        except SpecError as error:
            if named(*mutation) not in str(error) or str(file) not in str(error):
                wrong.append(f"{mutation}: {error}")
    return wrong


def test_the_spec_itself_is_right(toy_spec):
    assert read_spec(toy_spec).name == "toy"


def test_every_mutation_is_a_sentence_that_names_the_key(toy_spec):
    found = mutations() + [("set", path, value) for path, value in CONTRADICTIONS]
    assert len(found) >= 200
    assert not unnoticed(found, TOY_SPEC, toy_spec)


def test_every_mutation_of_the_quickstart_is_a_sentence_that_names_the_key(tmp_path):
    quickstart = FilePath(__file__).parents[2] / "experiments" / "quickstart.yaml"
    try:
        read_spec(quickstart)
    except SpecError as error:
        if "there is no plugin" in str(error):
            pytest.skip("needs the first-party plugins")
        raise
    text = quickstart.read_text()
    found = [mutation for mutation in mutations(text) if mutation[2] != 1.5]  # right where a number is wanted
    assert len(found) >= 200
    assert not unnoticed(found, text, tmp_path / "quickstart.yaml")


def everything(toy_spec) -> str:
    """A spec with every key of every section, those that are left out with their defaults."""
    more = ["evaluation.best={metric: toy}", "diversity={}", "tracking.wandb={}", "checkpoint.every_minutes=5"]
    return dump(read_spec(toy_spec, more))


def extremes(text: str, values: list[Any]) -> list[tuple[str, Path, Any]]:
    leaves = [(path, value) for path, value in below(yaml.safe_load(text)) if not isinstance(value, dict | list)]
    numbers = [("set", path, extreme) for path, value in leaves if not isinstance(value, str) for extreme in values]
    return numbers + [("set", path, odd) for path, value in leaves if isinstance(value, str) for odd in ODD_TEXT]


def raised(text: str, mutations: list[tuple[str, Path, Any]]) -> list[str]:
    """The mutations whose message names no key; what is no message is raised."""
    content = yaml.safe_load(text)
    wrong = []
    for mutation in mutations:
        holder = changed = copy.deepcopy(content)
        _, path, value = mutation
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value
        try:
            resolve(Document("spec.yaml", located(changed, Origin("spec.yaml", 1))))
        except SpecError as error:
            wrong += [f"{mutation}: {error}"] if named(*mutation) not in str(error) else []
    return wrong


def test_every_key_of_every_section_takes_any_value_or_refuses_it_with_a_sentence(toy_spec):
    """Numbers beyond all measure, and text that nobody means, raise nothing else."""
    text = everything(toy_spec)
    found = extremes(text, EXTREMES)
    assert len(found) >= 400
    assert raised(text, found) == []


@pytest.mark.slow
def test_what_check_says_of_any_value_of_the_quickstart_is_a_sentence(tmp_path):
    """Numbers that are right for the spec end in a sentence where networks, data or optimizers cannot have them."""
    quickstart = FilePath(__file__).parents[2] / "experiments" / "quickstart.yaml"
    text, file = quickstart.read_text(), tmp_path / "quickstart.yaml"
    assert raised(text, extremes(text, MORE_EXTREMES)) == []
    for mutation in extremes(text, EXTREMES + MORE_EXTREMES):
        file.write_text(mutated(*mutation, text))
        with contextlib.suppress(UserError):
            rehearse(read_spec(file))


ODD_OVERRIDES = [
    "a", "=", "a=", "=b", "a.=1", ".a=1", "a..b=1", "a[=1", "a[0=1", "a[x]=1", "a[-1]=1", "a[99999999999999999999]=1",
    "seed=1=2", "seed==", "seed=[", "seed={", "seed={a: ", "seed=&a *a", "seed=!!int 3", "seed=---", "seed=1\n---\n2",
    "seed=|", "seed='", 'seed="\\0"', "seed=\0", "seed=\ud83d", "seed=${seed}", "seed=${", "seed=${oc.env:HOME}",
    "seed=" + "[" * 2000, "data.name=\x1b[2J", "data.0=1", "optimizers.0.lr=1", "architecture.regularizers.9.weight=1",
    "architecture.regularizers.-1.weight=1", "architecture.regularizers=null", "architecture.regularizers.name=r1",
    "extends=/dev/zero", "name.x=1", "kimg.linear=[1,2]", "seed=0x10", "seed=1_000", "seed=1e3", "seed=.inf", "seed=~",
]  # fmt: skip


@pytest.mark.parametrize("override", ODD_OVERRIDES)
def test_an_odd_override_is_a_value_or_a_sentence(toy_spec, override):
    sentence = None
    try:
        spec = read_spec(toy_spec, [override])
    except SpecError as error:
        sentence = str(error)
    if sentence is None:
        assert spec.name
    else:
        assert "override" in sentence
        assert len(sentence.split()) > 5


def test_the_command_line_ends_with_2_and_without_a_traceback(toy, tmp_path):
    wrong = [("misspell", ("ema",), "emma"), ("set", ("data", "resolution"), "big")]
    files = [tmp_path / "first.yaml", tmp_path / "second.yaml"]
    for file, mutation in zip(files, wrong, strict=True):
        file.write_text(mutated(*mutation))
    path = os.pathsep.join([str(toy), *filter(None, sys.path)])
    command = [sys.executable, "-m", "ganlab", "check", *map(str, files)]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert all(named(*mutation) in ended.stderr for mutation in wrong)
