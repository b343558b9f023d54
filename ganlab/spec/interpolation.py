"""Interpolation: `${other.key}` in a value stands for another value of the spec, and for nothing outside of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ganlab.errors import SpecError
from ganlab.spec.document import Path, Value, dotted, located
from ganlab.spec.yaml_reader import MAX_BYTES, MAX_DEPTH

MAX_NESTING = 5
MAX_REFERENCES = 100  # in one text
MAX_VALUES = 10_000
MAX_PASSES = 10
_UNKNOWN = "???"  # what OmegaConf refuses to read


def resolve_interpolations(tree: Value) -> Value:
    r"""The same tree with every `${...}` replaced by what OmegaConf finds; origins stay where the text stands.

    `${a.b.0}` counts from the top, `${.b}` from the mapping or list that holds the value, `${..b}` from the one around
    it. Text may hold several, `\${` is no interpolation. OmegaConf's resolvers, with which a spec could read the
    environment, are refused. Depth and size of what comes out are limited. Raises `SpecError`.
    """
    waiting = {path: leaf for path, leaf in tree.leaves() if isinstance(leaf.content, str) and "${" in leaf.content}
    if not waiting:
        return tree
    for path, leaf in waiting.items():
        with _blaming(leaf, path):
            _check_text(leaf.content)
    known = _References(tree, waiting).resolved()
    for path, value in known.items():
        tree = _replaced(tree, path, located(value, waiting[path].origin))
    return tree


class _References:
    """Resolves each place once, after all that it refers to, so that nothing can grow unseen.

    OmegaConf would follow references into references: 1.6 kB of them take minutes.
    """

    def __init__(self, tree: Value, waiting: dict[Path, Value]) -> None:
        from omegaconf import OmegaConf

        self.waiting = dict(waiting)
        for path, leaf in waiting.items():
            tree = _replaced(tree, path, Value(_UNKNOWN, leaf.origin))
        self.config = OmegaConf.create(tree.plain())
        self.known: dict[Path, Any] = {}
        self._values = 0
        self._characters = 0

    def resolved(self) -> dict[Path, Any]:
        """What every place comes to."""
        for _ in range(MAX_PASSES):
            # In turn forwards and backwards: a chain in either order takes one pass.
            self.waiting = dict(reversed([item for item in self.waiting.items() if not self._try(*item)]))
        for path, leaf in sorted(self.waiting.items(), key=lambda item: item[1].origin.line or 0):
            with _blaming(leaf, path):
                raise ValueError(f"it refers to itself or to '{_UNKNOWN}', or leads through too many others")
        return self.known

    def _try(self, path: Path, leaf: Value) -> bool:
        """Whether all that a text refers to is known by now; if so, keep what it comes to."""
        from omegaconf.errors import InterpolationToMissingValueError, MissingMandatoryValue

        *above, key = path
        holder = self.config
        for part in above:
            holder = holder[part]
        with _blaming(leaf, path):
            try:
                holder[key] = leaf.content
                value = _plain(holder[key])
            except (InterpolationToMissingValueError, MissingMandatoryValue):
                holder[key] = _UNKNOWN
                return False
            self._count(value)
            holder[key] = _literal(value)
        self.known[path] = value
        return True

    def _count(self, value: Any, depth: int = 0) -> None:
        """Keep what comes out within the limits."""
        self._values += 1
        self._characters += len(value) if isinstance(value, str) else 0
        if depth > MAX_DEPTH:
            raise ValueError(f"what comes out is nested more than {MAX_DEPTH} deep")
        if self._values > MAX_VALUES or self._characters > MAX_BYTES:
            raise ValueError(f"what comes out is more than {MAX_VALUES} values or {MAX_BYTES // 1000} kB")
        members = value.values() if isinstance(value, dict) else value
        for member in members if isinstance(value, dict | list) else ():
            self._count(member, depth + 1)


def _check_text(text: str) -> None:
    """Raise `ValueError` for a text that takes long to parse, is none of OmegaConf's, or names a resolver."""
    from omegaconf.grammar_parser import OmegaConfGrammarParser, parse

    _check_nesting(text)
    below: list[Any] = [parse(text)]
    while below:
        node = below.pop()
        if isinstance(node, OmegaConfGrammarParser.InterpolationResolverContext):
            raise ValueError(_NO_RESOLVER.format(node.getText()))
        below += getattr(node, "children", None) or []


def _check_nesting(text: str) -> None:
    opened = deepest = 0
    for mark in re.findall(r"\$\{|\}", text):
        opened = max(0, opened + (1 if mark == "${" else -1))
        deepest = max(deepest, opened)
    if deepest > MAX_NESTING or text.count("${") > MAX_REFERENCES:
        raise ValueError(f"a text has at most {MAX_REFERENCES} of them, in each other at most {MAX_NESTING} deep")


_NO_RESOLVER = (
    "'{}' is no path in the spec: neither the environment nor anything else outside of it can be read, as its values "
    'are kept in the run\'s folder and sent to trackers; give the value on the command line, as in key="$NAME"'
)


def _plain(value: Any) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.to_container(value, resolve=True, throw_on_missing=True) if OmegaConf.is_config(value) else value


def _literal(value: Any) -> Any:
    """What OmegaConf reads as the value and nothing else."""
    if isinstance(value, dict):
        return {key: _literal(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_literal(member) for member in value]
    return value.replace("${", r"\${") if isinstance(value, str) else value


@contextmanager
def _blaming(leaf: Value, path: Path) -> Iterator[None]:
    """Turn errors into sentences about one value."""
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (OmegaConfBaseException, RecursionError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["it refers to itself"])[0]
        raise SpecError(f"{leaf.origin}: {dotted(path)}: the interpolation cannot be resolved: {reason}") from None


def _replaced(tree: Value, path: Path, value: Value) -> Value:
    if not path:
        return value
    key = path[0]
    members: Any = dict(tree.content) if isinstance(tree.content, dict) else list(tree.content)
    members[key] = _replaced(members[key], path[1:], value)
    return Value(members, tree.origin)
