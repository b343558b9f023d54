"""A spec file, the files that it extends and the overrides, as one document."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from ganlab.errors import SpecError
from ganlab.spec.document import Document, Origin, Value
from ganlab.spec.interpolation import resolve_interpolations
from ganlab.spec.merge import merge
from ganlab.spec.overrides import read_override
from ganlab.spec.yaml_reader import MAX_BYTES, read_yaml

MAX_LAYERS = 100


def load_spec(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Document:
    """Read a spec with all that it extends, apply the overrides in their order and resolve interpolations.

    Names and types are not checked yet. Raises `SpecError` with file and line.
    """
    tree = _Layers().read(os.fspath(path), Origin(os.fspath(path)), ())
    for override in overrides:
        tree = merge(tree, read_override(override))
    return Document(os.fspath(path), resolve_interpolations(tree))


class _Layers:
    def __init__(self) -> None:
        self._count = 0

    def read(self, path: str, place: Origin, inside: tuple[str, ...]) -> Value:
        """The file at `path` merged on what it extends; `inside` are the files that are being read."""
        if "\0" in path:
            raise SpecError(f"{place}: cannot read the spec {path!r}: no file has such a name")
        real = os.path.realpath(path)
        if real in inside:
            raise SpecError(f"{place}: '{path}' extends itself, directly or through another file; break the circle")
        self._count += 1
        if self._count > MAX_LAYERS:
            raise SpecError(f"{place}: a spec is made of at most {MAX_LAYERS} files")
        tree = _read_file(path, place)
        members = dict(tree.content)
        extended = members.pop("extends", None)
        own = Value(members, tree.origin)
        if extended is None:
            return own
        merged: Value | None = None
        for base in _bases(extended):
            layer = self.read(_beside(path, base.content), base.origin, (*inside, real))
            merged = layer if merged is None else merge(merged, layer)
        assert merged is not None
        return merge(merged, own)


def _bases(extended: Value) -> list[Value]:
    bases = extended.content if isinstance(extended.content, list) else [extended]
    if not bases or not all(isinstance(base.content, str) and base.content for base in bases):
        raise SpecError(f"{extended.origin}: extends: needs the path of a file, or a list of paths")
    return bases


def _beside(path: str, extended: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(path), extended))


def _read_file(path: str, place: Origin) -> Value:
    asked = f"{place}: " if place.line else ""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe may never end, and reading a device may do anything
            kind = "a folder" if os.path.isdir(path) else "a device, a pipe or a socket"
            raise SpecError(f"{asked}cannot read the spec '{path}': it is {kind} and no file")
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise SpecError(f"{path}: a spec has at most {MAX_BYTES // 1000} kB; is this the right file?")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path}: a spec is text in UTF-8; this file is not") from None
    except OSError as error:
        raise SpecError(f"{asked}cannot read the spec '{path}': {error.strerror}") from None
    tree = read_yaml(text, path)
    if not isinstance(tree.content, dict):
        raise SpecError(f"{path}: a spec is a mapping of keys such as 'name', 'data' and 'architecture'")
    return Value(tree.content, Origin(path, 1, 1))
