"""Real examples for metrics and grids, in an order that a seed fixes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, LABEL, read_examples
from ganlab.data.opening import held_out_of
from ganlab.data.scaling import scale_input
from ganlab.data.stream import mirror_examples
from ganlab.errors import DataError
from ganlab.evaluation.quantise import labels_of_frames, reals_for_metrics
from ganlab.randomness import derive_seed

Reals = Literal["train", "held_out"]
"""Which real examples are compared with: those of the training, or those that it never sees."""


def real_blocks(
    dataset: Dataset,
    count: int,
    seed: int,
    batch_size: int,
    flip: bool = False,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The first `count` reals of a seeded order (all, if there are fewer) as metrics see them, with their labels.

    With `flip`, the mirrored images belong to the reals as well. They arrive on `device`.
    """
    for places in real_order(dataset, count, seed, flip).split(batch_size):
        yield read_reals(dataset, places, device)


def real_order(dataset: Dataset, count: int, seed: int, flip: bool) -> Tensor:
    """The places of the first `count` reals of a seeded order; those from the data's size on mean mirrored images."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "reals"))
    return torch.randperm(count_reals(dataset, flip), generator=generator)[:count]


def read_reals(dataset: Dataset, places: Tensor, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor | None]:
    """The reals at places of `real_order`, as metrics see them, with their labels."""
    examples = read_examples(dataset, (places % len(dataset)).tolist())
    images = examples[IMAGES].to(device)
    mirrored = places >= len(dataset)
    if mirrored.any():
        images = torch.where(mirrored.to(device).view(-1, *[1] * (images.dim() - 1)), images.flip(-1), images)
    labels = labels_of_frames(examples[LABEL].to(device) if dataset.facts.classes else None, dataset.facts)
    return reals_for_metrics(images, dataset.facts), labels


def read_inputs(dataset: Dataset, places: Tensor, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """The further fields of the reals at places of `real_order`, as networks get them."""
    facts = dataset.facts
    examples = read_examples(dataset, (places % len(dataset)).tolist())
    mirror_examples(examples, places >= len(dataset), facts)
    given = {name: value for name, value in examples.items() if name not in (IMAGES, LABEL)}
    return {name: scale_input(value.to(device), facts.inputs.get(name)) for name, value in given.items()}


def count_reals(dataset: Dataset, flip: bool) -> int:
    """How many reals there are."""
    return len(dataset) * (2 if flip else 1)


def reals_of(dataset: Dataset, which: Reals) -> Dataset:
    """The examples that fakes are compared with. Raises `DataError` if none are held out and these are wanted."""
    if which == "train":
        return dataset
    held_out = held_out_of(dataset)
    if held_out is None:
        raise DataError(
            "'evaluation.reals: held_out' compares with examples that training never sees, but none are held out; set "
            "'data.holdout: 0.1' to hold out a tenth"
        )
    return held_out
