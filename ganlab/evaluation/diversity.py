"""How different samples are from each other, within classes and over all, held against a few reals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, conv2d, leaky_relu

from ganlab.contracts import DataFacts, Dataset
from ganlab.evaluation.quantise import for_metrics
from ganlab.evaluation.reals import real_blocks
from ganlab.evaluation.sampling import sample_blocks
from ganlab.evaluation.source import source_of
from ganlab.randomness import derive_seed
from ganlab.training.module import GANModule

REALS = 256  # real examples that are read once
CLASSES = 16  # classes that are looked at, those with most of the reals read
SAMPLES_OF_CLASS = 8
SAMPLES = 64  # of data without classes
TOO_ALIKE = 1 / 3  # of the reals' spread
_BLOCK = 32
_COARSE = 8  # pixels a side
_FINE = 32  # pixels a side that the random network sees, at most
_WIDTHS = (16, 32, 64)
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Spread:
    """Mean distances of pairs of examples: of any two, and of two of one class, None where no class has two."""

    overall: float
    within: float | None = None


@dataclass(frozen=True)
class Diversity:
    """The spread of samples and that of reals, in units of the reals' overall spread."""

    samples: Spread
    reals: Spread

    def as_values(self) -> dict[str, float]:
        """The numbers to log; the reals' overall spread is 1."""
        values = {"overall": self.samples.overall}
        if self.samples.within is not None and self.reals.within is not None:
            values |= {"within": self.samples.within, "within_reals": self.reals.within}
        return {f"diversity/{name}": value for name, value in values.items()}

    @property
    def finding(self) -> str | None:
        """What is wrong, with its numbers, if the samples spread less than a third as far as the reals."""
        within, within_reals = self.samples.within, self.reals.within
        if within is not None and within_reals is not None and within < TOO_ALIKE * within_reals:
            return f"samples of one class look alike: spread {within:.2f} against {within_reals:.2f} of the reals"
        overall, overall_reals = self.samples.overall, self.reals.overall
        if overall < TOO_ALIKE * overall_reals:
            return f"samples look alike: spread {overall:.2f} against {overall_reals:.2f} of the reals"
        return None


class DiversityMeter:
    """Measures a module's averaged weights against up to 256 reals, which it reads when it is made.

    Of up to 16 classes, 8 samples each, or of 64 samples without classes; always from the same latents. Distances are
    means of two, each in units of the reals' mean: between images averaged to 8x8 pixels, which tell colours and
    layout, and between means and deviations of the maps of a convolutional network with fixed random weights, which
    tell textures and edges; such features have served to compare sets of images (Naeem et al., 2020) and need no
    download. Of vectors, distances are Euclidean. Of sequences, first frames are compared.
    Where samples are made from inputs, they are made for the first examples held out, or else of the training.
    """

    def __init__(self, dataset: Dataset, seed: int = 0) -> None:
        self.facts = dataset.facts
        self.dataset = dataset
        self.seed = seed
        blocks = list(real_blocks(dataset, REALS, seed, _BLOCK))
        frames = max(1, self.facts.frames)
        spaces = [_spaces(images[::frames], self.facts) for images, _ in blocks]
        features = [torch.cat(of_blocks) for of_blocks in zip(*spaces, strict=True)]
        labels = [labels[::frames] for _, labels in blocks if labels is not None]
        self._units = [_unit(space) for space in features]
        self.classes = _most_common(torch.cat(labels)) if labels and not self.facts.inputs else []
        self.reals = self._spread(features, torch.cat(labels) if labels else None)

    @property
    def useful(self) -> bool:
        """Whether the reals differ at all."""
        return self.reals.overall > 0

    def measure(self, module: GANModule) -> Diversity:
        """The diversity of a module's samples; nothing of the training is touched."""
        spaces, drawn = [], []
        frames = max(1, self.facts.frames)
        for samples, labels in sample_blocks(module, self._count, self.seed, batch_size=_BLOCK, **self._given(module)):
            spaces.append(_spaces(for_metrics(samples, self.facts)[::frames].cpu(), self.facts))
            drawn += [] if labels is None else [labels.cpu()]
        features = [torch.cat(of_blocks) for of_blocks in zip(*spaces, strict=True)]
        return Diversity(self._spread(features, torch.cat(drawn) if drawn else None), self.reals)

    @property
    def _count(self) -> int:
        return len(self.classes) * SAMPLES_OF_CLASS or SAMPLES

    def _given(self, module: GANModule) -> dict[str, Any]:
        if self.facts.inputs or module.sampled_from:
            return {"source": source_of(self.dataset, module.device, module.sampled_from)}
        return {"labels": torch.tensor(self.classes).repeat_interleave(SAMPLES_OF_CLASS)} if self.classes else {}

    def _spread(self, spaces: Sequence[Tensor], labels: Tensor | None) -> Spread:
        parts = [_distances(space) / unit for space, unit in zip(spaces, self._units, strict=True) if unit]
        if not parts:
            return Spread(0.0)
        distances = torch.stack(parts).mean(0)
        if labels is None or not self.classes:
            return Spread(_mean_of_pairs(distances))
        blocks = [distances[labels == label][:, labels == label] for label in self.classes]
        return Spread(_mean_of_pairs(distances), math.fsum(map(_mean_of_pairs, blocks)) / len(blocks))


def _distances(vectors: Tensor) -> Tensor:
    """Distances (N, N); by differences, as products leave something between equal vectors."""
    return torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")


def _unit(vectors: Tensor) -> float:
    """The mean distance of two vectors; 0 where it is no more than rounding."""
    unit = _mean_of_pairs(_distances(vectors))
    return unit if unit > _ROUNDING * float(vectors.abs().max()) else 0.0


def _mean_of_pairs(distances: Tensor) -> float:
    """The mean distance of two different examples, from a table (N, N); 0 for a single example."""
    count = len(distances)
    return float(distances.double().sum() / (count * (count - 1))) if count > 1 else 0.0


def _most_common(labels: Tensor) -> list[int]:
    """The classes that have most examples, at least two each; of equals, the first."""
    counts = Counter(sorted(labels.tolist()))
    return sorted(label for label, count in counts.most_common(CLASSES) if count > 1)


def _spaces(examples: Tensor, facts: DataFacts) -> list[Tensor]:
    """Examples as metrics see them, as vectors (N, D) of each space that distances are taken in."""
    if not facts.is_images:
        return [examples.cpu().flatten(1)]
    images = examples.float() / 127.5 - 1
    height, width = (min(_FINE, side) for side in images.shape[2:])
    fine = adaptive_avg_pool2d(images, (height, width)).cpu()
    return [adaptive_avg_pool2d(images, _COARSE).cpu().flatten(1), random_features(fine)]


def random_features(images: Tensor) -> Tensor:
    """Means and standard deviations (N, 2 * 64) of the last maps of a network that is the same on every machine."""
    generator = torch.Generator().manual_seed(derive_seed("diversity"))
    maps = images
    for width in _WIDTHS:
        weight = torch.randn(width, maps.shape[1], 3, 3, generator=generator)
        maps = leaky_relu(conv2d(maps, weight * math.sqrt(2 / weight[0].numel()), stride=2, padding=1), 0.2)
    return torch.cat([maps.mean((2, 3)), maps.std((2, 3), correction=0)], dim=1)
