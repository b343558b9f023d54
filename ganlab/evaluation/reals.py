"""Real examples for metrics and grids, in an order that a seed fixes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.examples import LABEL, read_examples
from ganlab.evaluation.quantise import reals_for_metrics
from ganlab.randomness import derive_seed


def real_blocks(
    dataset: Dataset, count: int, seed: int, batch_size: int, flip: bool = False
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The first `count` reals of a seeded order (all, if there are fewer) as metrics see them, with their labels.

    With `flip`, the mirrored images belong to the reals as well.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "reals"))
    order = torch.randperm(count_reals(dataset, flip), generator=generator)[:count]
    for start in range(0, len(order), batch_size):
        places = order[start : start + batch_size]
        examples = read_examples(dataset, (places % len(dataset)).tolist())
        labels = examples[LABEL] if dataset.facts.classes else None
        images = reals_for_metrics(examples["images"], dataset.facts)
        if flip:
            mirrored = places >= len(dataset)
            images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
        yield images, labels


def count_reals(dataset: Dataset, flip: bool) -> int:
    """How many reals there are."""
    return len(dataset) * (2 if flip else 1)
