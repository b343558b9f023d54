"""How far fakes are from the images that they should be, pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from ganlab import DataFacts, UserError
from ganlab.contracts import Extractor
from ganlab_metrics.vgg16 import LPIPS

_PAIRS = frozenset({"fakes", "targets"})
_RANGE = 255.0
_MOST = 100.0  # decibels, which equal images have
_WINDOW = 11

Distances = Callable[[Tensor, Tensor], Tensor]
"""Of images and others (N, C, H, W), the number of each pair (N,)."""


class _Pairs:
    """The mean over all pairs of each of some numbers."""

    def __init__(self, facts: DataFacts, name: str, numbers: Mapping[str, Distances]) -> None:
        if not facts.is_images:
            raise UserError(f"{name} compares images; these data are vectors: leave it out")
        self._numbers = numbers
        self.reset()

    def update(self, images: Tensor, real: bool, targets: Tensor) -> None:
        """Show uint8 fakes (N, C, H, W) and what each should be."""
        self._count += len(images)
        with torch.no_grad():
            for name, of_pairs in self._numbers.items():
                self._sums[name] += float(of_pairs(images, targets).double().sum())

    def compute(self) -> dict[str, float]:
        """The means over the pairs since the last reset."""
        if not self._count:
            raise ValueError("no pairs were shown")
        return {name: total / self._count for name, total in self._sums.items()}

    def reset(self) -> None:
        """Forget the pairs."""
        self._count = 0
        self._sums = dict.fromkeys(self._numbers, 0.0)


class PairDistance(_Pairs):
    """Mean absolute difference (`l1`, of values from 0 to 1), PSNR in decibels and SSIM of fakes and their targets.

    All are means over images. PSNR is that of bytes, 100 for equal images. SSIM (Wang et al., 2004) has the published
    window, a Gaussian of 11 pixels, and is the mean over channels; images below 11 pixels have none.

    Args:
        facts: Facts of the data.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"l1": False, "psnr": True, "ssim": True}
    needs: ClassVar[frozenset[str]] = _PAIRS

    def __init__(self, facts: DataFacts) -> None:
        large = facts.is_images and min(facts.image_shape[1:]) >= _WINDOW
        numbers: dict[str, Distances] = {"l1": _absolute, "psnr": _decibels}
        super().__init__(facts, "pair_distance", numbers | ({"ssim": _similarity} if large else {}))


class PairPerceptual(_Pairs):
    """Mean perceptual distance of fakes and targets: the squared one of an extractor's features, LPIPS by default.

    Args:
        facts: Facts of the data.
        extractor: the space of the distance; without it LPIPS.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"pair_lpips": False}
    needs: ClassVar[frozenset[str]] = _PAIRS
    example: ClassVar[Mapping[str, Any]] = {"extractor": {"name": "random_network", "width": 4, "layers": 2}}

    def __init__(self, facts: DataFacts, extractor: Extractor | None = None) -> None:
        self.extractor = extractor or LPIPS()
        super().__init__(facts, "pair_lpips", {"pair_lpips": self._distances})

    def _distances(self, images: Tensor, targets: Tensor) -> Tensor:
        fakes, wanted = (self.extractor(each).double() for each in (images, targets))
        return (fakes - wanted).square().sum(1)


def _absolute(images: Tensor, targets: Tensor) -> Tensor:
    return (images.double() - targets.double()).abs().flatten(1).mean(1) / _RANGE


def _decibels(images: Tensor, targets: Tensor) -> Tensor:
    errors = (images.double() - targets.double()).square().flatten(1).mean(1)
    return (10 * torch.log10(_RANGE**2 / errors)).clamp(max=_MOST)


def _similarity(images: Tensor, targets: Tensor) -> Tensor:
    similarities = structural_similarity_index_measure(
        images.double(), targets.double(), data_range=_RANGE, reduction="none"
    )
    assert isinstance(similarities, Tensor)
    return similarities.reshape(len(images))
