"""One picture of many samples: a grid of images, a row of frames for each sequence, or vectors as points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import DataFacts, Dataset
from ganlab.data.examples import IMAGES, LABEL, read_examples
from ganlab.data.grid import save_animation, save_scatter, save_sheet
from ganlab.data.scaling import scale, scale_input
from ganlab.evaluation.panels import panels_of, side_by_side
from ganlab.evaluation.quantise import for_metrics
from ganlab.evaluation.reals import real_blocks
from ganlab.evaluation.sampling import BLOCK, Labels, Samples, make_samples
from ganlab.evaluation.source import Source
from ganlab.randomness import Randomness, derive_seed
from ganlab.training.module import GANModule

SCATTER_POINTS = 2048
_SEARCHED = 16  # reals that are looked at, for each place of a picture, to find those of its class


@dataclass(frozen=True)
class Picture:
    """What one picture shows, in rows and columns, with names for the rows.

    `examples` are bytes, images (N, C, H, W) or sequences (N, T, C, H, W), or vectors (N, D) in the data's own units,
    which `reference` stands behind.
    """

    examples: Tensor
    rows: int
    columns: int
    names: Sequence[str] = ()
    reference: Tensor | None = None

    def save(self, path: Path) -> None:
        """Write a PNG, which a GIF of the same name stands beside where sequences move."""
        if self.examples.dim() == 2:
            save_scatter(self.examples, path, self.reference)
        elif self.examples.dim() == 4:
            save_sheet(self.examples, path, self.rows, self.columns, self.names)
        else:
            count, frames = self.examples.shape[:2]
            save_sheet(self.examples.flatten(0, 1), path, count, frames, self.names)
            columns = math.ceil(math.sqrt(count))
            save_animation(self.examples, path.with_suffix(".gif"), math.ceil(count / columns), columns)


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


def picture_labels(facts: DataFacts, rows: int, columns: int) -> Tensor | None:
    """The class of each example of a picture; None for data without classes."""
    return class_grid(rows, 1 if facts.frames else columns, facts.classes) if facts.is_images else None


def row_names(facts: DataFacts, rows: int, columns: int) -> list[str]:
    """The names of the classes that the rows of a picture have; none where a row has several."""
    labels = picture_labels(facts, rows, columns)
    if labels is None or (rows < facts.classes and not facts.frames):
        return []
    return [facts.class_names[label] for label in labels.view(rows, -1)[:, 0].tolist()]


def sample_picture(
    module: GANModule,
    grid: tuple[int, int],
    seed: int,
    *,
    options: Mapping[str, Any] | None = None,
    source: Source | None = None,
    reference: Tensor | None = None,
) -> Picture:
    """Samples with what the architecture shows beside them; classes are set out in order.

    Samples that are made for the examples of a `source` have the classes of these.
    """
    facts = module.facts
    of_examples = source is not None and source.dataset.facts.classes > 0
    labels: Labels = None if of_examples else picture_labels(facts, *grid)
    if labels is None and not of_examples:
        labels = "cycle"
    made = make_samples(module, picture_size(facts, *grid), seed, labels=labels, source=source, options=options)
    return picture_of(module, made, grid, [] if of_examples else row_names(facts, *grid), reference)


def picture_of(
    module: GANModule,
    made: Iterable[Samples],
    grid: tuple[int, int],
    names: Sequence[str] = (),
    reference: Tensor | None = None,
) -> Picture:
    """A picture of samples that arrive in pieces."""
    if not module.facts.is_images:
        points = torch.cat([for_metrics(samples.images, module.facts).cpu() for samples in made])
        return Picture(points, *grid, reference=reference)
    return Picture(torch.cat([panels_of(module, samples) for samples in made]), *grid, names)


def real_picture(dataset: Dataset, grid: tuple[int, int], seed: int, module: GANModule | None = None) -> Picture:
    """Reals in a seeded order, where there are classes in the places in which `sample_picture` has theirs.

    Where the data have inputs, the reals stand beside these as the `module` shows them. A place whose class is not
    found soon stays empty.
    """
    facts = dataset.facts
    count = picture_size(facts, *grid)
    if not facts.is_images:
        return Picture(torch.cat([images for images, _ in real_blocks(dataset, count, seed, BLOCK)]), *grid)
    labels = picture_labels(facts, *grid)
    places, found = _in_places(dataset, count, seed, labels)
    images = scale(found.pop(IMAGES), facts.value_range)
    inputs = {name: scale_input(found[name], of_input) for name, of_input in facts.inputs.items()}
    if module is None or not inputs or not places:
        shown = side_by_side([images], facts.frames)
    else:
        given = {name: value.to(module.device) for name, value in inputs.items()}
        random = Randomness(seed, "reals", count=len(images), device=module.device)
        shown = panels_of(module, Samples(images.to(module.device), None, random, given))
    examples = torch.zeros(len(places) if labels is None else count, *shown.shape[1:], dtype=shown.dtype)
    examples[places] = shown
    return Picture(examples, *grid, row_names(facts, *grid))


def _in_places(dataset: Dataset, count: int, seed: int, labels: Tensor | None) -> tuple[list[int], dict[str, Tensor]]:
    """Examples for the places of a picture, each of the class that belongs there: places, and the stacked fields."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "reals"))
    order = torch.randperm(len(dataset), generator=generator)[: count if labels is None else count * _SEARCHED]
    wanted = [0] * count if labels is None else labels.tolist()
    free = {label: [place for place in range(count) if wanted[place] == label] for label in set(wanted)}
    places: list[int] = []
    pieces: list[dict[str, Tensor]] = []
    for block in order.split(BLOCK):
        examples = read_examples(dataset, block.tolist())
        found = [0] * len(block) if labels is None else examples[LABEL].tolist()
        rows = [row for row, label in enumerate(found) if _takes_place(free.get(label), places)]
        pieces.append({name: value[rows] for name, value in examples.items()})
        if len(places) == count:
            break
    return places, {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}


def _takes_place(free: list[int] | None, places: list[int]) -> bool:
    """Whether a place was free, which is taken now."""
    if free:
        places.append(free.pop(0))
        return True
    return False
