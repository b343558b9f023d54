"""What data sets must do; for those that need no files, or whose class has an `example`."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints
from unittest import SkipTest

import torch
from torch import Tensor

from ganlab.build import build_dataset
from ganlab.contracts import Dataset
from ganlab.data import read_examples
from ganlab.data.examination import examine
from ganlab.data.opening import held_out_of, prepare
from ganlab.data.stream import domains_of
from ganlab.errors import DataError, UserError
from ganlab.facts import DataFacts
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.spec import node_from

_LOOKED_AT = 256
_MUCH = 1000  # a number of examples, for instance, which is halved and not doubled


def check_dataset(name: str) -> None:
    """Facts and examples agree, instances are alike, many at once are those one by one, options are told apart."""
    options = _example_options(name)
    dataset, again = _build(name, options), _build(name, options)
    _check_instances(dataset, again)
    check_examples(dataset)
    for key, value in _other_values(name, options):
        _check_fingerprint(dataset, name, options, key, value)


def check_examples(dataset: Dataset, which: str = "") -> None:
    """The examples of a data set, of its domains and of those it holds out are what the facts say."""
    facts, places = dataset.facts, _places(len(dataset))
    assert len(dataset) == facts.size > 0, f"{which}{len(dataset)} examples, but facts.size is {facts.size}"
    findings = examine(dataset, places)
    assert not findings.unreadable, f"{which}{next(iter(findings.unreadable.values()))}"
    _check_range(facts, (findings.lowest, findings.highest), which)
    for name, of_input in facts.inputs.items():
        if of_input.kind == "images":
            as_images = DataFacts(of_input.shape, facts.size, "", of_input.value_range)
            _check_range(as_images, findings.inputs[name], f"{which}input '{name}': ")
    _check_take(dataset, places[:8], which)
    for name, domain in domains_of(dataset).items():
        check_examples(domain, f"{which}domain '{name}': ")
    held_out = held_out_of(dataset)
    if held_out is not None:
        assert held_out.facts.fingerprint != facts.fingerprint, "held-out examples have the others' fingerprint"
        check_examples(held_out, f"{which}held out: ")


def _example_options(name: str) -> dict[str, Any]:
    factory = load(find("datasets", name))
    options: dict[str, Any] = dict(getattr(factory, "example", {}))
    missing = [p.name for p in _parameters(factory) if p.default is p.empty and p.name not in options]
    if missing:
        raise SkipTest(f"needs the options {', '.join(missing)}, and its class has no 'example' with them")
    return options


def _build(name: str, options: Mapping[str, Any]) -> Dataset:
    try:
        dataset = build_dataset(node_from("datasets", {"name": find("datasets", name).reference, **options}))
        prepare(dataset)
    except DataError as error:
        raise SkipTest(f"needs files: {error}") from error
    return dataset


def _check_instances(dataset: Dataset, again: Dataset) -> None:
    assert dataset.facts == again.facts, "its facts, or the fingerprint, change from one instance to the next"
    indices = _places(len(dataset))[:3]
    examples = read_examples(dataset, indices)
    for key, value in read_examples(again, indices).items():
        assert torch.equal(examples[key], value), f"'{key}' changes from one instance to the next"
    copied = read_examples(pickle.loads(pickle.dumps(dataset)), indices)
    for key, value in examples.items():
        assert torch.equal(copied[key], value), f"worker processes would see another '{key}'"


def _check_range(facts: DataFacts, found: tuple[float, float], which: str) -> None:
    low, high = facts.value_range
    assert low < high, f"{which}'value_range' is (low, high) with low below high, not {facts.value_range}"
    if not facts.is_images:
        return
    said = f"{which}values go from {found[0]:g} to {found[1]:g}, but 'value_range' says {low:g} to {high:g}"
    assert low <= found[0], f"{said}: they would leave [-1, 1]"
    assert found[1] <= high, f"{said}: they would leave [-1, 1]"
    assert found[1] - found[0] > (high - low) / 8, f"{said}: the images would have no contrast"


def _check_take(dataset: Dataset, indices: list[int], which: str) -> None:
    take = getattr(dataset, "take", None)
    if take is None:
        return
    order = [*reversed(indices), indices[0]]
    taken, single = dict(take(order)), [dataset[index] for index in order]
    for key in sorted(set(single[0]) | set(taken)):
        there = key in taken and key in single[0]
        assert there, f"{which}'{key}' is there by 'take' or by indexing only"
        stacked = torch.stack([torch.as_tensor(example[key]) for example in single])
        alike = torch.equal(torch.as_tensor(taken[key]).to(stacked.dtype), stacked)
        assert alike, f"{which}'take' gives another '{key}' than indexing"


def _check_fingerprint(dataset: Dataset, name: str, options: Mapping[str, Any], key: str, value: Any) -> None:
    """Data that an option changes have another fingerprint; values that the data set refuses tell nothing."""
    try:
        other = build_dataset(node_from("datasets", {"name": find("datasets", name).reference, **options, key: value}))
        prepare(other)
    except (UserError, SkipTest):
        return
    if other.facts.fingerprint != dataset.facts.fingerprint:
        return
    alike = other.facts == dataset.facts and _alike(dataset, other)
    assert alike, f"'{key}: {value}' changes the data but not the fingerprint, by which runs and caches tell them apart"


def _alike(first: Dataset, second: Dataset) -> bool:
    places = _places(len(first))
    read: tuple[dict[str, Tensor], dict[str, Tensor]] = (read_examples(first, places), read_examples(second, places))
    return read[0].keys() == read[1].keys() and all(torch.equal(read[0][key], read[1][key]) for key in read[0])


def _other_values(name: str, options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Another value for each option whose type suggests one."""
    factory = load(find("datasets", name))
    hints = get_type_hints(getattr(factory, "__init__") if isinstance(factory, type) else factory)  # noqa: B009
    for parameter in _parameters(factory):
        value = options.get(parameter.name, parameter.default)
        hint = hints.get(parameter.name)
        if isinstance(value, bool):
            yield parameter.name, not value
        elif isinstance(value, int):
            yield parameter.name, value // 2 if value >= _MUCH else value * 2 or 1
        elif isinstance(value, float):
            yield parameter.name, value * 1.5 or 0.1
        elif get_origin(hint) is Literal:
            yield from ((parameter.name, other) for other in get_args(hint) if other != value)


def _places(count: int) -> list[int]:
    """The first example, the last one, and others evenly between."""
    wanted = min(count, _LOOKED_AT)
    return sorted({place * (count - 1) // max(1, wanted - 1) for place in range(wanted)})


def _parameters(factory: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return (p for p in inspect.signature(factory).parameters.values() if p.kind not in variadic)
