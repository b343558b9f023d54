"""Numbers that nobody means, in every numeric option of a plugin: each is refused at once, or harmless."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, get_args, get_origin
from unittest import SkipTest

import torch
from annotated_types import Ge, Gt, Le, Lt

from ganlab.bounds import bounded, flat
from ganlab.build import build_dataset
from ganlab.builder import Builder, load_factory
from ganlab.contracts import DataFacts
from ganlab.errors import SpecError, UserError
from ganlab.kinds import KINDS
from ganlab.plugin_contracts import load
from ganlab.plugins import Plugin, find
from ganlab.spec import Origin, node_from
from ganlab.spec.annotations import alternatives, is_union, nests
from ganlab.spec.constructor import Option, constructor_of, schedulable
from ganlab.spec.document import located
from ganlab.spec.model import Node
from ganlab.spec.node_resolver import NodeResolver
from ganlab.spec.problems import Problems
from ganlab.testing.examples import EXAMPLE_FACTS, example_node

NEVER_MEANT: tuple[Any, ...] = (float("nan"), float("inf"), -float("inf"), 1e30, -1e30, 2**63, 10**400, "three", True)
"""What no numeric option takes, whatever its bounds."""
SELDOM_MEANT: tuple[float, ...] = (-1, 0, -0.5, 1e-300, 1_000_000_000, 2**62)
"""What some take: zero and less, next to nothing, and far too much."""
SECONDS = 30.0
"""How long a plugin may take to be built, or to refuse, on a machine that does other things besides."""


def numbers_check(kind: str) -> Callable[[str], None]:
    """The check of a kind that tries numbers which nobody means in each option of a plugin."""

    def check_numbers(name: str) -> None:
        """What no option can mean is refused with the option's name, and what one may mean is taken or so refused."""
        for option in constructor_of(find(kind, name)).options.values():
            assert not _is_without_annotation(option), (
                f"'{option.name}' has a number for a default and no annotation, so that a spec may say anything; "
                "annotate it, as in 'depth: int = 4'"
            )
        options = list(_numeric_options(kind, name))
        for option in options:
            for number in (*NEVER_MEANT, *SELDOM_MEANT):
                for value in _holding(number, option.annotation, option.default):
                    _check_taken_or_refused(find(kind, name), option, value)
        if not options:
            raise SkipTest("has no options that are numbers")

    return check_numbers


def bounds_check(kind: str) -> Callable[[str], None]:
    """The check of a kind that builds a plugin with the smallest and the largest numbers that its options take."""

    def check_bounds(name: str) -> None:
        """At the bounds of its options it is built, or refuses, in time: what hangs is no bound."""
        options = list(_numeric_options(kind, name))
        for option in options:
            for number in _bounds_within(bounded(option.annotation)):
                for value in _holding(number, option.annotation, option.default):
                    _try_to_build(find(kind, name), option, value)
        if not options:
            raise SkipTest("has no options that are numbers")

    return check_bounds


def _numeric_options(kind: str, name: str) -> Iterator[Option]:
    for option in constructor_of(find(kind, name)).options.values():
        given = option.injected or nests(option.annotation)
        if not given and any(True for _ in _holding(0, option.annotation, option.default)):
            yield option


def _is_without_annotation(option: Option) -> bool:
    return option.annotation is Any and isinstance(option.default, int | float) and not isinstance(option.default, bool)


def _is_beyond_all(value: Any) -> bool:
    """Whether a value holds a number that no option takes."""
    if isinstance(value, Mapping):
        return any(map(_is_beyond_all, value.values()))
    if isinstance(value, list):
        return any(map(_is_beyond_all, value))
    return any(value is never for never in NEVER_MEANT)


def _check_taken_or_refused(plugin: Plugin, option: Option, value: Any) -> None:
    problems = Problems()
    written = located(value, Origin(f"a node of the {plugin.kind}"))
    scheduled = schedulable(plugin, option)
    with _in_time(option, value):
        NodeResolver(problems).leaf(option.annotation, written, (option.name,), scheduled=scheduled)
    try:
        problems.raise_if_any()
    except SpecError as refusal:
        sentence = str(refusal)
    else:
        assert not _is_beyond_all(value), (
            f"'{option.name}' takes {value}; annotate it with the numbers that it can mean, such as "
            "Annotated[int, Ge(1), Le(4096)] (of annotated_types)"
        )
        return
    assert option.name in sentence, f"'{option.name}: {value}' is refused without the option's name: {sentence}"


def _required(plugin: Plugin) -> dict[str, Any]:
    """Something for what a plugin cannot do without, such as the path of a file, where its class has no `example`."""
    options = constructor_of(plugin).options.values()
    return {option.name: _something(option.annotation) for option in options if option.required}


def _something(annotation: Any) -> Any:
    for part in alternatives(annotation):
        if part is str:
            return "nowhere"
        if part in (int, float):
            return 2
        if isinstance(get_origin(part), type) and issubclass(get_origin(part), Mapping):
            return {_key(get_args(part)[0]): _something(get_args(part)[1])}
    return None


def _try_to_build(plugin: Plugin, option: Option, value: Any) -> None:
    content = {
        **_required(plugin),
        **getattr(load(plugin), "example", {}),
        "name": plugin.reference,
        option.name: value,
    }
    with _in_time(option, value):
        try:
            node = node_from(plugin.kind, content)
            _BUILDERS.get(plugin.kind, _build)(node)
        except (UserError, NotImplementedError):  # the latter of what cannot be built without memory
            return


def _build(node: Node) -> None:
    with torch.device("meta"):
        Builder(_facts_for(node)).construct(node, node.kind)


def _optimizer(node: Node) -> None:
    try:
        load_factory(node)([torch.nn.Parameter(torch.zeros(1))], **node.options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(str(error)) from error  # as `check` and `train` say it


_BUILDERS: Mapping[str, Callable[[Any], object]] = {
    "datasets": build_dataset,
    "optimizers": _optimizer,
    "recipes": lambda node: None,
}
"""How a node of a kind is built; of what the platform calls with a task, the signature is all there is."""


@functools.cache
def _example_facts(kind: str, name: str) -> DataFacts:
    """Data that a plugin takes, or the first example where it takes none without files."""
    own: DataFacts | None = getattr(load(find(kind, name)), "example_facts", None)
    if own is not None:
        return own
    for facts in EXAMPLE_FACTS.values():
        try:
            with torch.device("meta"):
                Builder(facts).construct(example_node(kind, name), kind)
        except UserError:
            continue
        return facts
    return EXAMPLE_FACTS["images with classes"]


def _facts_for(node: Node) -> DataFacts | None:
    if not KINDS[node.kind].takes_facts:
        return None
    return _example_facts(node.kind, f"{node.distribution}/{node.name}")


def _bounds_within(annotation: Any) -> list[Any]:
    """The bounds that an annotation gives its numbers."""
    parameters = get_args(annotation)
    notes = flat(parameters[1:]) if get_origin(annotation) is Annotated else ()
    found = [getattr(note, type(note).__name__.lower()) for note in notes if isinstance(note, Ge | Gt | Le | Lt)]
    return [*found, *(bound for part in parameters for bound in _bounds_within(part))]


def _holding(number: Any, annotation: Any, default: Any) -> Iterator[Any]:
    """The values with `number` in a place where the annotation has a number."""
    origin, parameters = get_origin(annotation), get_args(annotation)
    if annotation in (int, float):
        yield number
    elif origin is Annotated:
        yield from _holding(number, parameters[0], default)
    elif is_union(annotation):
        for part in parameters:
            yield from _holding(number, part, default)
    elif origin is tuple and Ellipsis not in parameters:
        yield from _in_places(number, parameters, default)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        for value in _holding(number, parameters[1], None):
            yield {_key(parameters[0]): value}
    elif isinstance(origin, type) and issubclass(origin, Sequence):
        for value in _holding(number, parameters[0], _first(default)):
            yield [value, *_rest(default)]


def _in_places(number: Any, parameters: tuple[Any, ...], default: Any) -> Iterator[Any]:
    """Lists of a fixed length, with the number in each place in turn, or in all where nothing else is known."""
    given = _plain(default)
    if not isinstance(given, list) or len(given) != len(parameters):
        yield from ([value] * len(parameters) for value in _holding(number, parameters[0], None))
        return
    for place, part in enumerate(parameters):
        for value in _holding(number, part, given[place]):
            yield [*given[:place], value, *given[place + 1 :]]


def _key(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _key(get_args(annotation)[0])
    return get_args(annotation)[0] if get_origin(annotation) is Literal else 8 if annotation is int else "a"


def _first(default: Any) -> Any:
    return default[0] if isinstance(default, list | tuple) and default else None


def _rest(default: Any) -> list[Any]:
    return _plain(default)[1:] if isinstance(default, list | tuple) else []


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


class _TooLong(BaseException):
    """Ends what takes too long; no code that handles errors of its own takes it for one."""


@contextmanager
def _in_time(option: Option, value: Any) -> Iterator[None]:
    """Whatever runs inside is broken off after `SECONDS`, where the system has timers."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: Any) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    except _TooLong:
        raise AssertionError(
            f"'{option.name}: {value}' is accepted, and takes more than {SECONDS:g} seconds; annotate the option with "
            "the numbers that it can mean"
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
