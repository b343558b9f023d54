"""Examples of a data set as stacked tensors: the one place that knows what a data set may deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.reduction import reduce_images
from ganlab.errors import DataError

IMAGES = "images"
LABEL = "label"
STORED_TYPES = (torch.uint8, torch.uint16, torch.float16, torch.float32, torch.float64)


def read_examples(dataset: Dataset, indices: Sequence[int], resolution: int | None = None) -> dict[str, Tensor]:
    """The examples at `indices`, stacked: `images` in their stored type, `label` (int64) and further tensors by name.

    With a `resolution` the (square) images are reduced to it, by the data set if it has `take_reduced`.
    Raises `DataError` for files that cannot be read and for examples that contradict the data set's facts.
    """
    shape = dataset.facts.shape
    if resolution is not None and resolution != shape[-1]:
        take_reduced = getattr(dataset, "take_reduced", None)
        if take_reduced is not None:
            return _checked(
                dataset, indices, dict(take_reduced(indices, resolution)), (shape[0], resolution, resolution)
            )
        examples = read_examples(dataset, indices)
        return examples | {IMAGES: reduce_images(examples[IMAGES], resolution)}
    take = getattr(dataset, "take", None)
    taken = take(indices) if take is not None else _stack([_read(dataset, index) for index in indices])
    return _checked(dataset, indices, dict(taken), shape)


def further_names(dataset: Dataset) -> list[str]:
    """Names of the tensors that an example has besides its image and label."""
    return sorted(set(_read(dataset, 0)) - {IMAGES, LABEL})


def _read(dataset: Dataset, index: int) -> Mapping[str, Any]:
    try:
        return dataset[index]
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(f"example {index} of the data set cannot be read: {error}") from error


def _stack(examples: list[Mapping[str, Any]]) -> dict[str, Tensor]:
    shapes = {tuple(example[IMAGES].shape) for example in examples}
    if len(shapes) > 1:
        raise DataError(f"the examples of the data set have different shapes: {', '.join(map(str, sorted(shapes)))}")
    return {name: torch.stack([torch.as_tensor(example[name]) for example in examples]) for name in examples[0]}


def _checked(
    dataset: Dataset, indices: Sequence[int], examples: dict[str, Any], shape: tuple[int, ...]
) -> dict[str, Tensor]:
    facts, images = dataset.facts, examples[IMAGES]
    if tuple(images.shape[1:]) != tuple(shape):
        found = tuple(images.shape[1:])
        raise DataError(f"examples {_span(indices)} of the data set have shape {found}; its facts say {shape}")
    if images.dtype not in STORED_TYPES:
        allowed = ", ".join(str(kind).removeprefix("torch.") for kind in STORED_TYPES)
        raise DataError(f"the data set delivers {images.dtype}; allowed are {allowed}")
    if facts.classes:
        examples[LABEL] = _checked_labels(examples.get(LABEL), facts.classes, indices)
    return examples


def _checked_labels(labels: Any, classes: int, indices: Sequence[int]) -> Tensor:
    if labels is None:
        raise DataError(f"the data set says that it has {classes} classes, but its examples have no '{LABEL}'")
    integers: Tensor = torch.as_tensor(labels).to(torch.int64)
    if not 0 <= int(integers.min()) <= int(integers.max()) < classes:
        found = f"labels from {int(integers.min())} to {int(integers.max())}"
        raise DataError(f"examples {_span(indices)} have {found}; {classes} classes allow 0 to {classes - 1}")
    return integers


def _span(indices: Sequence[int]) -> str:
    return f"{min(indices)} to {max(indices)}" if len(indices) > 1 else str(indices[0])
