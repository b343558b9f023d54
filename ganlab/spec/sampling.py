"""Sampling options: the keyword arguments of an architecture's `render` (or `sample`), checked like a constructor's.

Those of `animate` are options of its films.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_type_hints

from ganlab.errors import PluginError, UserError
from ganlab.spec.constructor import Option, option_text
from ganlab.spec.conversion import MismatchError, convert
from ganlab.spec.yaml_reader import read_yaml
from ganlab.suggestions import did_you_mean

_OF_THE_PLATFORM = ("inputs", "averaged")

SAMPLES = ("render", "sample")
FILMS = ("animate",)
"""The methods whose keyword arguments are options of samples, and of films."""


@functools.cache
def sampling_options(architecture: type, methods: tuple[str, ...] = SAMPLES) -> Mapping[str, Option]:
    """The sampling options of an architecture's class, those that it passes on to its bases included.

    Raises `PluginError` for one without a default: pictures and metrics are made without options, too.
    """
    options: dict[str, Option] = {}
    for method in methods:
        for function in _definitions(architecture, method):
            hints = get_type_hints(function, include_extras=True)
            documentation = f"{inspect.getdoc(function) or ''}\n\n{inspect.getdoc(architecture) or ''}"
            for name, default in _declared(function).items():
                text = option_text(documentation, name)
                options.setdefault(name, Option(name, hints.get(name, Any), default, text=text))
    if required := [name for name, option in options.items() if option.required]:
        raise PluginError(f"the sampling option '{required[0]}' of {architecture.__name__} has no default; give it one")
    return options


def check_sampling(architecture: type, given: Mapping[str, Any], methods: tuple[str, ...] = SAMPLES) -> dict[str, Any]:
    """The options as their annotations want them. Raises `UserError` for unknown ones and for wrong values."""
    known = sampling_options(architecture, methods)
    checked = {}
    for name, value in given.items():
        if name not in known:
            raise UserError(unknown_option(architecture, name, methods))
        try:
            checked[name] = convert(value, known[name].annotation)
        except MismatchError as mismatch:
            raise UserError(f"the sampling option '{name}' of {architecture.__name__} {mismatch}") from mismatch
    return checked


def unknown_option(architecture: type, name: str, methods: tuple[str, ...] = SAMPLES) -> str:
    """The sentence about an option that an architecture does not declare."""
    known = sampling_options(architecture, methods)
    listed = f"it has: {', '.join(known)}" if known else "it has none"
    return f"{architecture.__name__} has no sampling option '{name}'; {listed}{did_you_mean(name, known)}"


def read_assignments(texts: Sequence[str]) -> dict[str, Any]:
    """`psi=0.7 code.0=3` as plain data, `{psi: 0.7, code: {0: 3}}`. Raises `UserError` for anything else."""
    values: dict[Any, Any] = {}
    for text in texts:
        dotted, equals, written = text.partition("=")
        keys = dotted.split(".")
        if not equals or not all(keys):
            raise UserError(f"a sampling option is written name=value, such as psi=0.7, not '{text}'")
        place = values
        for key in keys[:-1]:
            place = place.setdefault(_key(key), {})
            if not isinstance(place, dict):
                raise UserError(f"'{text}' sets a part of '{key}', which another assignment sets as a whole")
        place[_key(keys[-1])] = read_yaml(written, f"option '{text}'").plain()
    return values


def _key(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _declared(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    keywords = (parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)
    return {keyword.name: keyword.default for keyword in keywords if keyword.name not in _OF_THE_PLATFORM}


def _definitions(architecture: type, method: str) -> Iterator[Any]:
    """The definitions of a method that take part in a call: up to the first that does not pass options on."""
    for base in architecture.__mro__:
        function = vars(base).get(method)
        if function is None:
            continue
        yield function
        kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            return
