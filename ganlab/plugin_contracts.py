"""What a plugin of each kind must look like, read from the Protocols and compared when the plugin is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_origin, get_type_hints

from torch import nn

from ganlab.contracts import (
    Augmentation,
    Constraint,
    Dataset,
    Loss,
    Metric,
    Normalizer,
    Preset,
    Regularizer,
)
from ganlab.errors import PluginError
from ganlab.plugins import Plugin

_PROTOCOLS: Mapping[str, type] = {
    "losses": Loss,
    "regularizers": Regularizer,
    "normalizers": Normalizer,
    "augmentations": Augmentation,
    "datasets": Dataset,
    "metrics": Metric,
}
_OFFERED: Mapping[tuple[str, str], frozenset[str]] = {("metrics", "update"): frozenset({"labels"})}
"""Arguments that the platform passes if a method has them."""

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def check_contract(plugin: Plugin, loaded: Any) -> None:
    """Raise `PluginError`, with the signature that is expected, unless a plugin keeps its kind's contract.

    A factory is judged by its return annotation; without one, what it makes is not known before it is called.
    """
    made = loaded if isinstance(loaded, type) else _made_by(loaded)
    problems = list(dict.fromkeys(_problems(plugin, loaded, made)))
    if problems:
        raise PluginError(f"plugin {plugin} does not keep the contract of the {plugin.kind}: {'; '.join(problems)}")


def _problems(plugin: Plugin, loaded: Any, made: Any) -> Iterator[str]:
    if not callable(loaded):
        yield f"{plugin.target} is neither a class nor a function"
    elif plugin.kind == "optimizers":
        yield from _optimizer(loaded)
    elif plugin.kind == "architectures":
        yield from _architecture(loaded)
    elif made is None or made is Preset:
        return
    elif plugin.kind in ("generators", "discriminators"):
        if isinstance(made, type) and not _is_protocol(made) and not issubclass(made, nn.Module):
            yield f"{made.__name__} must be a subclass of torch.nn.Module"
    elif not _is_protocol(made):
        yield from _compare(plugin.kind, made)


def _made_by(factory: Any) -> Any:
    """The class that a factory is annotated to return; None when it does not say."""
    try:
        result = get_type_hints(factory).get("return")
    except (NameError, TypeError):
        return None
    return result if isinstance(result, type) else None


def _is_protocol(made: Any) -> bool:
    return bool(getattr(made, "_is_protocol", False))


def _optimizer(loaded: Any) -> Iterator[str]:
    parameters = list(inspect.signature(loaded).parameters)
    if parameters[:1] != ["params"]:
        yield f"expected {loaded.__name__}(params, **options) -> torch.optim.Optimizer, with 'params' first"


def _architecture(loaded: Any) -> Iterator[str]:
    # Late: the training code is not needed to look at a loss.
    from ganlab.training.module import GANModule

    if not (isinstance(loaded, type) and issubclass(loaded, GANModule)):
        yield f"{getattr(loaded, '__name__', loaded)} must be a subclass of ganlab.GANModule"
        return
    if "sample" not in _own(loaded, GANModule):
        yield f"expected method sample{_shown(GANModule.sample)}"


def _own(loaded: type, base: type) -> set[str]:
    """Names that a class or its bases below `base` define."""
    return {name for part in loaded.__mro__ if part is not base and issubclass(part, base) for name in vars(part)}


def _compare(kind: str, made: type) -> Iterator[str]:
    for protocol in _protocols(kind, made):
        yield from _compare_with(protocol, kind, made)


def _protocols(kind: str, made: type) -> list[type]:
    """The protocols that a class has to keep: a regularizer has a penalty, acts after updates, or both."""
    if kind != "regularizers" or not hasattr(made, "after_update"):
        return [_PROTOCOLS[kind]]
    return [Regularizer, Constraint] if hasattr(made, "penalty") else [Constraint]


def _compare_with(protocol: type, kind: str, made: type) -> Iterator[str]:
    for name, hint in get_type_hints(protocol).items():
        if get_origin(hint) is ClassVar:
            yield from _class_fact(made, name)
    for name, expected in vars(protocol).items():
        if inspect.isfunction(expected) and _is_contract(name):
            method = _method(made, name)
            if method is None:
                yield f"{made.__name__} has no method {name}; expected {name}{_shown(expected)}"
            elif not _accepts(method, expected, _OFFERED.get((kind, name), frozenset())):
                yield f"{made.__name__}.{name}{_shown(method)} does not fit; expected {name}{_shown(expected)}"


def _is_contract(name: str) -> bool:
    return not name.startswith("_") or name in ("__call__", "__len__", "__getitem__")


def _class_fact(made: type, name: str) -> Iterator[str]:
    fact = getattr(made, name, None)
    if name == "side" and not isinstance(fact, str | property):
        yield f"{made.__name__} needs a class attribute side, the player whose terms it joins, such as 'discriminator'"
    if name == "requires" and not isinstance(fact, set | frozenset | property):
        yield f"{made.__name__} needs a class attribute requires, a frozenset of the names of the views that it reads"


def _method(made: type, name: str) -> Any:
    # torch wraps `forward` in a `__call__` that takes anything, so `forward` tells the signature.
    if name == "__call__" and issubclass(made, nn.Module):
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
        same_name = match.name == parameter.name or expected.__name__ in ("__getitem__", "__len__")
        if not (same_name and optional):
            return False
    return all(extra.default is not extra.empty or extra.name in offered for extra in plain[len(wanted) :])


def _shown(method: Any) -> str:
    """A signature without `self` and without the quotes of postponed annotations."""
    signature = inspect.signature(method)
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "self"]
    return str(signature.replace(parameters=parameters)).replace("'", "")
