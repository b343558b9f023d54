"""The second look at a spec: every value against the constructor that will take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganlab.kinds import KINDS
from ganlab.spec.checks import check_consistency
from ganlab.spec.document import Document, Origin, Path, Value, located
from ganlab.spec.model import Node, Spec
from ganlab.spec.names import check_names
from ganlab.spec.node_resolver import NodeResolver
from ganlab.spec.problems import Problems
from ganlab.spec.section_resolver import SectionResolver
from ganlab.spec.yaml_reader import read_yaml


@dataclass(frozen=True)
class Resolution:
    """A checked spec and the origin of each of its values, by path."""

    spec: Spec
    origins: Mapping[Path, Origin]

    def origin(self, path: Path) -> Origin | None:
        """Where the value at a path came from; for a value inside an option, where the option came from."""
        return next((self.origins[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.origins), None)


def resolve(document: Document) -> Spec:
    """Check a document against the constructors of the plugins that it names, and fill in the defaults.

    Raises one `SpecError` that lists all problems with file, line and key. Imports the plugins.
    """
    return resolve_with_origins(document).spec


def node_from(kind: str, content: str | Mapping[str, Any]) -> Node:
    """A node given in Python as a section of a spec would write it, checked as there. Raises `SpecError`."""
    return _checked(kind, located(content, Origin(f"a node of the {kind}")))


def node_of_text(kind: str, text: str, option: str) -> Node:
    """A node that an option of the command line names or writes in YAML; `SpecError` tells the option as the place."""
    return _checked(kind, read_yaml(text, option, origin=Origin(option)))


def _checked(kind: str, value: Value) -> Node:
    problems = Problems()
    node: Node = NodeResolver(problems).node(kind, value, (), KINDS[kind].section_node_type)
    problems.raise_if_any()
    return node


def resolve_with_origins(document: Document) -> Resolution:
    """As `resolve`, with the origin of each value."""
    check_names(document)
    problems = Problems()
    resolver = SectionResolver(problems)
    spec = resolver.section(Spec, document.tree, ())
    problems.raise_if_any()
    resolution = Resolution(spec, resolver.origins)
    check_consistency(spec, resolver.origins, document.tree.origin, problems)
    problems.raise_if_any()
    return resolution
