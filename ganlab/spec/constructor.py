"""The options of a plugin: the signature of its constructor, or of its factory, is what a spec may say."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from ganlab.errors import PluginError
from ganlab.kinds import KINDS, Kind, kind_of_slot
from ganlab.plugin_contracts import load
from ganlab.plugins import Plugin, find
from ganlab.spec.annotations import kinds_within, may_be_scheduled, tells_of_input
from ganlab.spec.model import Node

REQUIRED: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Option:
    """One argument of a constructor; `injected` ones get their value from the data's facts."""

    name: str
    annotation: Any
    default: Any = REQUIRED
    injected: bool = False
    text: str = ""

    @property
    def required(self) -> bool:
        """Whether a spec must give a value."""
        return self.default is REQUIRED and not self.injected


@dataclass(frozen=True)
class Constructor:
    """The options of a plugin by name.

    An `open` one takes further options that it does not declare; a `preset` returns the nodes that it stands for.
    """

    options: Mapping[str, Option]
    open: bool = False
    preset: bool = False
    text: str = ""


def plugin_of(node: Node) -> Plugin:
    """The plugin that a node names; nothing is imported. Raises `PluginError`."""
    return find(node.kind, f"{node.distribution}/{node.name}" if node.distribution else node.name)


@functools.cache
def constructor_of(plugin: Plugin) -> Constructor:
    """The options of a plugin, which is imported for it. Raises `PluginError`."""
    target = load(plugin)
    try:
        constructor = _read(target, KINDS[plugin.kind])
    except (NameError, TypeError, ValueError, AttributeError) as error:
        raise PluginError(f"plugin {plugin}: the annotations of {plugin.target} cannot be read: {error}") from error
    for name, option in constructor.options.items():
        kind = kind_of_slot(name)
        if kind and kind not in kinds_within(option.annotation):
            raise PluginError(
                f"plugin {plugin}: the option '{name}' of {plugin.target} must hold a plugin of kind "
                f"{kind}, as everywhere in specs; annotate it so or give it another name"
            )
    return constructor


def _read(target: Any, kind: Kind) -> Constructor:
    from ganlab.contracts import INJECTED_FACTS, Preset

    facts = INJECTED_FACTS if kind.takes_facts else ()
    text = inspect.getdoc(target) or ""
    documentation = "\n\n".join(inspect.getdoc(part) or "" for part in (*_bases(target), *_functions(target)))
    options: dict[str, Option] = {}
    is_open = is_preset = False
    for function in _functions(target):
        hints = get_type_hints(function, include_extras=True)
        is_preset = hints.get("return") is Preset  # called for the spec, when the data are not yet known
        parameters = list(inspect.signature(function).parameters.values())
        skipped = len(kind.bound) + isinstance(target, type)
        for parameter in parameters[skipped:]:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                name = parameter.name
                option = Option(
                    name,
                    hints.get(name, Any),
                    parameter.default,
                    (name in facts or (bool(facts) and tells_of_input(hints.get(name)))) and not is_preset,
                    option_text(documentation, name),
                )
                options.setdefault(name, option)
        is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        if not is_open:
            break
    return Constructor(options, is_open and not isinstance(target, type), is_preset, text)


def parameter_names(target: Any) -> list[str]:
    """Names of all arguments that a constructor takes, those that it passes on to its bases included."""
    names: list[str] = []
    for function in _functions(target):
        parameters = inspect.signature(function).parameters.values()
        names += [parameter.name for parameter in parameters]
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return names


def input_parameters(target: Any) -> dict[str, bool]:
    """Arguments of a constructor that take the facts of an input of the data, and whether they may do without."""
    found: dict[str, bool] = {}
    for function in _functions(target):
        hints, parameters = get_type_hints(function, include_extras=True), inspect.signature(function).parameters
        for name, parameter in parameters.items():
            if tells_of_input(hints.get(name)):
                found.setdefault(name, parameter.default is not REQUIRED)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            break
    return found


def _functions(target: Any) -> Iterator[Callable[..., Any]]:
    """The constructor and, as long as one passes `**kwargs` on, those of the bases; ends at foreign bases."""
    if not isinstance(target, type):
        yield target
    for base in _bases(target):
        if "__init__" in vars(base):
            yield vars(base)["__init__"]


def _bases(target: Any) -> Iterator[type]:
    """A class and its bases below the foreign ones; their docstrings tell of the arguments that they take."""
    for base in target.__mro__ if isinstance(target, type) else ():
        if base.__module__.partition(".")[0] in ("torch", "pytorch_lightning", "lightning", "builtins"):
            return
        yield base


def option_text(documentation: str, name: str) -> str:
    """What a docstring says of one argument: its entry under `Args:`, or the first sentence that mentions it."""
    entry = re.search(rf"^(\s*){name}\s*(\([^)]*\))?:\s*(.+(?:\n\1\s+.+)*)", documentation, re.MULTILINE)
    if entry:
        return _as_sentence(entry.group(3))
    mentioned = re.compile(rf"`{name}[`:]")
    return next((_as_sentence(each) for each in _sentences(documentation) if mentioned.search(each)), "")


def _sentences(documentation: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", documentation):
        yield from re.split(r"(?<=[.!?])\s+(?=[A-Z`])", " ".join(paragraph.split()))


def _as_sentence(text: str) -> str:
    """A text with a capital in front and a full stop behind, whatever it was written as."""
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) else ".")


def schedulable(plugin: Plugin, option: Option) -> bool:
    """Whether an option may follow a schedule: those annotated `Scheduled`, and all numbers of an optimizer."""
    return KINDS[plugin.kind].every_number_scheduled or may_be_scheduled(option.annotation)
