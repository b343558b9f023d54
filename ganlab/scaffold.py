"""A new plugin distribution, written from the templates of its kind."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template

from ganlab.errors import UserError
from ganlab.kinds import KINDS
from ganlab.plugins import installed, known_kind

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def write_distribution(name: str, kind: str, folder: Path) -> list[Path]:
    """Write a distribution with one working plugin into `folder` and return its files.

    Raises `UserError` for a name that no module can have or another plugin has, and rather than overwrite anything.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UserError(
            f"'{name}' cannot be the name of a plugin; use lower-case letters, digits and '_', with a letter first"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"'{folder}' exists already; name another folder with --out")
    words = _words(name, known_kind(kind))
    owners = [plugin.distribution for plugin in installed(kind) if plugin.name == name]
    if owners:
        raise UserError(
            f"the {kind} of {' and '.join(owners)} have a '{name}' already: with two of that name, no spec could name "
            "either without its distribution; choose another name"
        )
    written = []
    for template, path in _paths(words).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_template(template).substitute(words), encoding="utf-8")
        written.append(target)
    return written


def write_spec(name: str, folder: Path, spec: str) -> Path:
    """Write a spec beside a new plugin."""
    path = folder / f"{name}.yaml"
    path.write_text(f"# A first training with {name}: ganlab train {path.name}\n{spec}", encoding="utf-8")
    return path


def _words(name: str, kind: str) -> dict[str, str]:
    return {
        "name": name,
        "kind": kind,
        "distribution": f"ganlab-{name.replace('_', '-')}",
        "package": f"ganlab_{name}",
        "plugin": name if KINDS[kind].bound else "".join(part.capitalize() for part in name.split("_")),
    }


def _paths(words: dict[str, str]) -> dict[str, str]:
    package, name = words["package"], words["name"]
    return {
        "pyproject": "pyproject.toml",
        "readme": "README.md",
        "package": f"{package}/__init__.py",
        words["kind"]: f"{package}/{name}.py",
        "test": f"tests/test_{name}.py",
    }


def _template(name: str) -> Template:
    """The template of a kind, or of another file of the distribution."""
    own = KINDS[name].template if name in KINDS else ""
    package, _, path = (own or f"ganlab:templates/{name}.txt").partition(":")
    return Template((files(package) / path).read_text(encoding="utf-8"))
