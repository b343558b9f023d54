"""Plugins loaded, and compared with what their kind must look like; imports nothing heavy before there is a plugin."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any, ClassVar, get_origin, get_type_hints

from ganlab.errors import PluginError, reason
from ganlab.kinds import KINDS, Kind, referred
from ganlab.plugins import Plugin

_OPERATORS = ("__getitem__", "__len__")
_DUNDER = ("__call__", *_OPERATORS)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@functools.cache
def load(plugin: Plugin) -> Any:
    """Import a plugin and check its signature against its kind's contract.

    Raises `PluginError` that names the distribution and the cause; other plugins are not affected.
    """
    entry = EntryPoint(plugin.name, plugin.target, f"ganlab.{plugin.kind}")
    try:
        loaded = entry.load()
    # A broken plugin may fail in any way; even one that ends the interpreter must leave the others usable.
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"plugin {plugin} cannot be imported from {plugin.target}: {_cause(error)}; "
            f"reinstall or update {plugin.distribution}, or name another plugin"
        ) from error
    check_contract(plugin, loaded)
    return loaded


def check_contract(plugin: Plugin, loaded: Any) -> None:
    """Raise `PluginError`, with the signature that is expected, unless a plugin keeps its kind's contract.

    A factory is judged by its return annotation; without one, what it makes is not known before it is called.
    """
    problems = list(dict.fromkeys(_problems(KINDS[plugin.kind], plugin, loaded)))
    if problems:
        raise PluginError(f"plugin {plugin} does not keep the contract of the {plugin.kind}: {'; '.join(problems)}")


def _cause(error: BaseException) -> str:
    said = reason(error)
    kind = type(error).__name__
    return said if said == kind else f"{kind}: {said}"


def _problems(kind: Kind, plugin: Plugin, loaded: Any) -> Iterator[str]:
    from ganlab.contracts import Preset

    made = loaded if isinstance(loaded, type) else _made_by(loaded)
    if not callable(loaded):
        yield f"{plugin.target} is neither a class nor a function"
    elif kind.bound and tuple(inspect.signature(loaded).parameters)[: len(kind.bound)] != kind.bound:
        bound = ", ".join(kind.bound)
        yield f"expected {loaded.__name__}({bound}, **options), with '{bound}' first, which the platform passes"
    elif kind.overrides and not isinstance(loaded, type):
        yield f"{getattr(loaded, '__name__', loaded)} must be a subclass of {_dotted(kind.base)}"
    elif isinstance(made, type) and made is not Preset and not _is_protocol(made):
        yield from _derived(kind, made)
        for protocol in _protocols(kind, made):
            yield from _compare_with(protocol, kind, made)


def _made_by(factory: Any) -> Any:
    """The class that a factory is annotated to return; None when it does not say."""
    try:
        result = get_type_hints(factory).get("return")
    except (NameError, TypeError):
        return None
    return result if isinstance(result, type) else None


def _is_protocol(made: Any) -> bool:
    return bool(getattr(made, "_is_protocol", False))


def _derived(kind: Kind, made: type) -> Iterator[str]:
    """What keeps a class from being derived from its kind's base as it should."""
    if kind.base is None:
        return
    base = referred(kind.base)
    if not issubclass(made, base):
        yield f"{made.__name__} must be a subclass of {_dotted(kind.base)}"
        return
    own = {name for part in made.__mro__ if part is not base and issubclass(part, base) for name in vars(part)}
    if kind.overrides and own.isdisjoint(kind.overrides):
        expected = " or ".join(f"{name}{_shown(getattr(base, name))}" for name in kind.overrides)
        yield f"expected method {expected}"


def _dotted(reference: str | None) -> str:
    return str(reference).replace(":", ".")


def _protocols(kind: Kind, made: type) -> list[type]:
    """The protocols that a class has to keep, told by their first methods.

    A regularizer has a penalty, acts after updates, or both; a metric is updated, measures the generator, or both.
    """
    protocols: list[type] = [referred(reference) for reference in kind.protocols]
    return [each for each in protocols if hasattr(made, next(_methods(each))[0])] or protocols[:1]


def _compare_with(protocol: type, kind: Kind, made: type) -> Iterator[str]:
    for name, hint in get_type_hints(protocol).items():
        if get_origin(hint) is ClassVar:
            yield from _class_fact(made, name)
    for name, expected in _methods(protocol):
        method = _method(made, name)
        if method is None:
            yield f"{made.__name__} has no method {name}; expected {name}{_shown(expected)}"
        elif not _accepts(method, expected, kind.offered.get(name, frozenset())):
            yield f"{made.__name__}.{name}{_shown(method)} does not fit; expected {name}{_shown(expected)}"


def _methods(protocol: type) -> Iterator[tuple[str, Any]]:
    """The methods that a protocol asks for, by name."""
    for name, method in vars(protocol).items():
        if inspect.isfunction(method) and (not name.startswith("_") or name in _DUNDER):
            yield name, method


def _class_fact(made: type, name: str) -> Iterator[str]:
    fact = getattr(made, name, None)
    if name == "side" and not isinstance(fact, str | property):
        yield f"{made.__name__} needs a class attribute side, the player whose terms it joins, such as 'discriminator'"
    if name == "requires" and not isinstance(fact, set | frozenset | property):
        yield f"{made.__name__} needs a class attribute requires, a frozenset of the names of the views that it reads"


def _method(made: type, name: str) -> Any:
    # torch wraps `forward` in a `__call__` that takes anything, so `forward` tells the signature.
    if name == "__call__" and issubclass(made, referred("torch.nn:Module")):
        name = "forward"
    method = inspect.getattr_static(made, name, None)
    method = method.__func__ if isinstance(method, staticmethod | classmethod) else method
    return method if callable(method) else None


def _accepts(method: Any, expected: Any, offered: frozenset[str]) -> bool:
    """Whether a method can be called as the expected one, by position as well as by name."""
    actual = list(inspect.signature(method).parameters.values())[1:]
    takes_any = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in actual)
    plain = [parameter for parameter in actual if parameter.kind not in _VARIADIC]
    wanted = list(inspect.signature(expected).parameters.values())[1:]
    for index, parameter in enumerate(wanted):
        if index >= len(plain):
            return takes_any
        match = plain[index]
        optional = match.default is not match.empty or parameter.default is parameter.empty
        # Dunder methods are called by their operators, so the names of their arguments are free.
        same_name = match.name == parameter.name or expected.__name__ in _OPERATORS
        if not (same_name and optional):
            return False
    return all(extra.default is not extra.empty or extra.name in offered for extra in plain[len(wanted) :])


def _shown(method: Any) -> str:
    """A signature without `self` and without the quotes of postponed annotations."""
    signature = inspect.signature(method)
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "self"]
    return str(signature.replace(parameters=parameters)).replace("'", "")
