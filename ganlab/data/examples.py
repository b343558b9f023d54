"""Examples of a data set as stacked tensors: the one place that knows what a data set may deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.reduction import reduce_images, reduce_inputs, reduced_shape
from ganlab.errors import DataError
from ganlab.facts import DataFacts, InputFacts

IMAGES = "images"
LABEL = "label"
STORED_TYPES = (torch.uint8, torch.uint16, torch.float16, torch.float32, torch.float64)
_WHOLE_TYPES = (torch.uint8, torch.uint16, torch.int8, torch.int16, torch.int32, torch.int64)


def read_examples(dataset: Dataset, indices: Sequence[int], resolution: int | None = None) -> dict[str, Tensor]:
    """The examples at `indices`, stacked: `images` in their stored type, `label` (int64) and further tensors by name.

    With a `resolution` the images' larger side is reduced to it, and what belongs to them alike; by the data set if it
    has `take_reduced`. Raises `DataError` for files that cannot be read and for examples that contradict the facts.
    """
    facts = dataset.facts
    if resolution is not None and resolution != facts.side:
        factor = _factor(facts, resolution)
        take_reduced = getattr(dataset, "take_reduced", None)
        if take_reduced is not None:
            return _checked(facts, indices, dict(take_reduced(indices, resolution)), factor)
        return reduce_examples(read_examples(dataset, indices), facts, resolution)
    take = getattr(dataset, "take", None)
    if take is None:
        return _checked(facts, indices, _stack(indices, [_read(dataset, index) for index in indices]), 1)
    try:
        taken = dict(take(indices))
    except DataError:
        raise
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"examples {span(indices)} of the data set cannot be read: {error}") from error
    return _checked(facts, indices, taken, 1)


def reduce_examples(examples: Mapping[str, Tensor], facts: DataFacts, resolution: int) -> dict[str, Tensor]:
    """Stacked examples with images, and the inputs that belong to them, at a lower resolution."""
    inputs = {name: value for name, value in examples.items() if name not in (IMAGES, LABEL)}
    smaller = reduce_inputs(inputs, facts, _factor(facts, resolution))
    return {**examples, **smaller, IMAGES: reduce_images(examples[IMAGES], resolution)}


def check_examples(facts: DataFacts, indices: Sequence[int], examples: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Stacked examples as they are. Raises `DataError` for those that contradict the facts."""
    return _checked(facts, indices, dict(examples), 1)


def _factor(facts: DataFacts, resolution: int) -> int:
    assert facts.side is not None, "vectors have no resolution"
    return facts.side // resolution


def undeclared_names(example: Mapping[str, Any], facts: DataFacts) -> list[str]:
    """Names of the fields of an example, or of stacked ones, that the facts do not tell of."""
    return sorted(set(example) - {IMAGES, LABEL} - set(facts.inputs))


def _read(dataset: Dataset, index: int) -> Mapping[str, Any]:
    try:
        return dataset[index]
    except DataError:
        raise
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"example {index} of the data set cannot be read: {error}") from error


def _stack(indices: Sequence[int], examples: list[Mapping[str, Any]]) -> dict[str, Tensor]:
    try:
        return {name: torch.stack([torch.as_tensor(example[name]) for example in examples]) for name in examples[0]}
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(_why_they_differ(indices, examples) or f"examples cannot be stacked: {error}") from error


def _why_they_differ(indices: Sequence[int], examples: list[Mapping[str, Any]]) -> str | None:
    """A sentence about the first example that cannot stand beside the first one."""
    first = examples[0]
    for index, example in zip(indices, examples, strict=True):
        if set(example) != set(first):
            return f"example {index} has {_listing(example)}, but example {indices[0]} has {_listing(first)}"
        for name, value in example.items():
            if not isinstance(value, Tensor | int | float) and not hasattr(value, "__array__"):
                return f"'{name}' of example {index} is a {type(value).__name__}; a tensor or a number is needed"
            found, other = torch.as_tensor(value), torch.as_tensor(first[name])
            if found.shape != other.shape:
                return (
                    f"the examples of the data set have different shapes: '{name}' of example {index} has "
                    f"{tuple(found.shape)}, of example {indices[0]} {tuple(other.shape)}"
                )
    return None


def _listing(example: Mapping[str, Any]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(example)) or "nothing"


def _checked(facts: DataFacts, indices: Sequence[int], examples: dict[str, Any], factor: int) -> dict[str, Tensor]:
    shape = facts.shape if factor == 1 else (*facts.shape[:-2], *(side // factor for side in facts.shape[-2:]))
    _check_tensor(IMAGES, examples, indices, shape, STORED_TYPES)
    for name, of_input in facts.inputs.items():
        shape = of_input.shape if factor == 1 else reduced_shape(name, facts, factor)
        _check_tensor(name, examples, indices, shape, _types_of(of_input))
    if facts.classes:
        examples[LABEL] = _checked_labels(examples.get(LABEL), facts.classes, indices)
    return examples


def _types_of(facts: InputFacts) -> Sequence[torch.dtype]:
    if facts.kind == "images":
        return STORED_TYPES
    return _WHOLE_TYPES if facts.kind == "maps" else (*STORED_TYPES, *_WHOLE_TYPES, torch.bool, torch.bfloat16)


def _check_tensor(
    name: str, examples: Mapping[str, Any], indices: Sequence[int], shape: Sequence[int], types: Sequence[torch.dtype]
) -> None:
    value = examples.get(name)
    if not isinstance(value, Tensor):
        found = f"have {_listing(examples)}, but no '{name}'" if value is None else f"have no tensor in '{name}'"
        raise DataError(f"examples {span(indices)} of the data set {found}, of which its facts tell")
    if tuple(value.shape) != (len(indices), *shape):
        raise DataError(
            f"'{name}' of examples {span(indices)} of the data set has the shape {tuple(value.shape[1:])}; its facts "
            f"say {tuple(shape)}"
        )
    if value.dtype not in types:
        allowed = ", ".join(str(kind).removeprefix("torch.") for kind in types)
        raise DataError(f"the data set delivers '{name}' as {value.dtype}; allowed are {allowed}")


def _checked_labels(labels: Any, classes: int, indices: Sequence[int]) -> Tensor:
    if labels is None:
        raise DataError(f"the data set says that it has {classes} classes, but its examples have no '{LABEL}'")
    integers: Tensor = torch.as_tensor(labels).to(torch.int64)
    if integers.shape != (len(indices),):
        raise DataError(f"'{LABEL}' of an example is one whole number, not of shape {tuple(integers.shape[1:])}")
    if not 0 <= int(integers.min()) <= int(integers.max()) < classes:
        found = f"labels from {int(integers.min())} to {int(integers.max())}"
        raise DataError(f"examples {span(indices)} have {found}; {classes} classes allow 0 to {classes - 1}")
    return integers


def span(indices: Sequence[int]) -> str:
    """How a sentence names some examples."""
    return f"{min(indices)} to {max(indices)}" if len(indices) > 1 else str(indices[0])
