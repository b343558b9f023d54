"""The training images nearest to fakes, and how much nearer they are than training images are to each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganlab.contracts import Dataset
from ganlab.data.examples import read_examples
from ganlab.data.grid import save_sheet
from ganlab.errors import UserError
from ganlab.evaluation.quantise import for_metrics, reals_for_metrics
from ganlab.evaluation.sampling import sample_blocks
from ganlab.evaluation.source import source_of
from ganlab.randomness import derive_seed
from ganlab.training.module import GANModule

SHOWN = 3  # training images under each fake
COMPARED = 256  # fakes, and training images, whose distances the memorisation is made of
_LARGEST = 64  # pixels a side that distances are taken at
_BLOCK = 256


@dataclass(frozen=True)
class Neighbours:
    """Fakes (N, C, H, W) as bytes, their nearest training images (N, SHOWN, C, H, W), and distances.

    `fake_distances` (M,) are those of M >= N fakes to the nearest training image, `real_distances` those of training
    images to the nearest other one. Distances are root mean squares over pixels, of values from 0 to 255, or over
    features.
    """

    fakes: Tensor
    nearest: Tensor
    fake_distances: Tensor
    real_distances: Tensor

    @property
    def memorisation(self) -> float:
        """The chance that a fake is nearer to a training image than a training image is to its nearest other.

        0.5 is what new examples of the data's own distribution have, 1 is copying. (The statistic of Mann and
        Whitney, as Meehan et al., 2020, use it against held-out data.)
        """
        nearer = self.fake_distances[:, None] - self.real_distances
        return float((nearer < 0).double().mean() + (nearer == 0).double().mean() / 2)

    def save(self, path: Path) -> None:
        """Write a PNG: a row of fakes, and under each of them its nearest training images."""
        rows = torch.cat([self.fakes[:, None], self.nearest], dim=1).transpose(0, 1).flatten(0, 1)
        save_sheet(rows, path, 1 + self.nearest.shape[1], len(self.fakes))

    def as_values(self) -> dict[str, float]:
        """The numbers to report."""
        return {
            "memorisation": self.memorisation,
            "median_distance/fakes": float(self.fake_distances.median()),
            "median_distance/reals": float(self.real_distances.median()),
        }


def pixel_vectors(images: Tensor) -> Tensor:
    """Images as float vectors (N, D) of their pixels, reduced to 64 a side if they are larger."""
    height, width = (min(side, _LARGEST) for side in images.shape[2:])
    return adaptive_avg_pool2d(images.float(), (height, width)).flatten(1)


def find_neighbours(
    module: GANModule,
    dataset: Dataset,
    count: int,
    seed: int = 0,
    flip: bool = False,
    vectors: Callable[[Tensor], Tensor] = pixel_vectors,
    options: Mapping[str, Any] | None = None,
) -> Neighbours:
    """The neighbours of the first `count` samples of a seed among all training images, by distance of `vectors`.

    `vectors` makes float vectors (N, D) on the CPU of uint8 images. With `flip`, mirrored training images count as
    well; `options` are sampling options. Reads the whole data set once. Raises `UserError` for data that are no images
    or fewer than two.
    """
    if not dataset.facts.is_images or dataset.facts.frames or len(dataset) < 2:
        raise UserError("neighbours are searched among at least two images; these data are others")
    source = source_of(dataset, module.device, module.sampled_from)
    pieces = sample_blocks(module, max(count, COMPARED), seed, source=source, options=options)
    fakes = torch.cat([for_metrics(samples, module.facts).cpu() for samples, _ in pieces])
    chosen = _chosen(len(dataset), seed)
    others = _images(dataset, chosen.tolist())
    queries = torch.cat([vectors(images) for images in (*fakes.split(_BLOCK), *others.split(_BLOCK))])
    distances, indices = _search(queries, _blocks(dataset, flip, vectors), own=(len(fakes), chosen))
    shown = indices[:count, : min(SHOWN, len(dataset) - 1)]
    nearest = _images(dataset, shown.flatten().tolist()).unflatten(0, shown.shape)
    first = distances[:, 0] / math.sqrt(queries.shape[1])
    return Neighbours(fakes[:count], nearest, first[: len(fakes)], first[len(fakes) :])


def _chosen(size: int, seed: int) -> Tensor:
    """Indices of training images to compare with, in a seeded order."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "neighbours"))
    return torch.randperm(size, generator=generator)[:COMPARED]


def _blocks(dataset: Dataset, flip: bool, vectors: Callable[[Tensor], Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """All training images as vectors, with their indices; mirrored ones under the same index."""
    for start in range(0, len(dataset), _BLOCK):
        indices = torch.arange(start, min(start + _BLOCK, len(dataset)))
        images = _images(dataset, indices.tolist())
        yield vectors(images), indices
        if flip:
            yield vectors(images.flip(-1)), indices


def _search(queries: Tensor, blocks: Iterator[tuple[Tensor, Tensor]], own: tuple[int, Tensor]) -> tuple[Tensor, Tensor]:
    """Distances and indices (Q, SHOWN) of the nearest images, nearest first.

    The queries from `own[0]` on are training images themselves, with the indices `own[1]`, and no neighbours of their
    own.
    """
    first, excluded = own
    best = torch.full((len(queries), SHOWN), torch.inf)
    places = torch.zeros(len(queries), SHOWN, dtype=torch.int64)
    for keys, indices in blocks:
        distances = torch.cdist(queries, keys, compute_mode="donot_use_mm_for_euclid_dist")
        distances[first:][excluded[:, None] == indices] = torch.inf
        best, places = _merged(best, places, distances, indices.expand_as(distances))
    return best, places


def _merged(best: Tensor, places: Tensor, distances: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest of what is known and what is new; an image that is there already counts once."""
    for column in range(SHOWN):
        repeated = indices == places[:, column, None]
        known = best[:, column].isfinite()[:, None] & repeated
        nearer = torch.where(known, distances, torch.inf).amin(1)
        best[:, column] = torch.minimum(best[:, column], nearer)
        distances = torch.where(known, torch.inf, distances)
    together, origin = torch.cat([best, distances], dim=1).topk(SHOWN, largest=False)
    return together, torch.cat([places, indices], dim=1).gather(1, origin)


def _images(dataset: Dataset, indices: list[int]) -> Tensor:
    """Training images as bytes."""
    return reals_for_metrics(read_examples(dataset, indices)["images"], dataset.facts)
