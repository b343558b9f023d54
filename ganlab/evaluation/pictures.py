"""One picture of many samples: a grid of images, or points in the plane for vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import DataFacts, Dataset
from ganlab.data.grid import save_animation, save_grid, save_scatter
from ganlab.evaluation.quantise import for_metrics
from ganlab.evaluation.reals import real_blocks
from ganlab.evaluation.sampling import BLOCK, Labels, sample_blocks
from ganlab.training.module import GANModule

SCATTER_POINTS = 2048
GAP = 2  # pixels between the images of a grid


def picture_size(facts: DataFacts, rows: int, columns: int) -> int:
    """Samples in a picture: the places of a grid, a sequence for each row of it, or enough points to see a density."""
    if facts.frames:
        return rows
    return rows * columns if facts.is_images else SCATTER_POINTS


def class_grid(rows: int, columns: int, classes: int) -> Tensor | None:
    """Labels of a grid, row by row: a class for each row or each column if all fit, else one after the other."""
    if classes == 0:
        return None
    places = torch.arange(rows * columns)
    if rows >= classes:
        places = places // columns
    elif columns >= classes:
        places = places % columns
    return places % classes


def sample_picture(
    module: GANModule,
    grid: tuple[int, int],
    seed: int,
    *,
    label: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Tensor:
    """Samples for one picture as `for_metrics` gives them; without a `label`, the classes are set out in order."""
    facts = module.facts
    labels: Labels = label
    if label is None:
        labels = class_grid(*grid, facts.classes) if facts.is_images and not facts.frames else "cycle"
    pieces = sample_blocks(module, picture_size(facts, *grid), seed, labels=labels, options=options)
    return torch.cat([for_metrics(samples, facts).cpu() for samples, _ in pieces])


def real_picture(dataset: Dataset, grid: tuple[int, int], seed: int) -> Tensor:
    """Reals for one picture, in a seeded order."""
    blocks = real_blocks(dataset, picture_size(dataset.facts, *grid), seed, BLOCK)
    return torch.cat([images for images, _ in blocks])


def save_picture(
    examples: Tensor, path: Path, facts: DataFacts, grid: tuple[int, int], reference: Tensor | None = None
) -> None:
    """Write a PNG; `reference` are reals to show behind the points of vectors.

    Of sequences, whose frames come one after the other, each is a row; a GIF beside the PNG shows them move.
    """
    if facts.frames:
        save_grid(examples, path, len(examples) // facts.frames, facts.frames, gap=GAP)
        sequences = examples.unflatten(0, (-1, facts.frames))
        columns = math.ceil(math.sqrt(len(sequences)))
        save_animation(sequences, path.with_suffix(".gif"), math.ceil(len(sequences) / columns), columns, gap=GAP)
    elif facts.is_images:
        save_grid(examples, path, *grid, gap=GAP)
    else:
        save_scatter(examples, path, reference)
