"""How different samples look, by a perceptual distance of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Examples
from ganlab.contracts import Extractor
from ganlab_metrics.vgg16 import LPIPS


class PerceptualDiversity:
    """Mean perceptual distance of pairs of fakes, and of pairs of `reals` to compare with; more is more diverse.

    The first fake is compared with the second, the third with the fourth, and so on. The distance is the squared one of
    an extractor's features, with LPIPS the LPIPS distance. It tells nothing of quality: noise is diverse.

    Args:
        facts: Facts of the data.
        extractor: the space of the distance; without it LPIPS.
        pairs: how many, at most.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"lpips_diversity": True}
    example: ClassVar[Mapping[str, Any]] = {"extractor": {"name": "random_network", "width": 4, "layers": 2}}

    def __init__(self, facts: DataFacts, extractor: Extractor | None = None, pairs: Examples = 5000) -> None:
        if not facts.is_images:
            raise UserError("lpips_diversity compares images; these data are vectors: leave it out")
        self.extractor = extractor or LPIPS()
        self.pairs = pairs
        self.protocol = {"pairs": pairs}
        self._reals = _Pairs(pairs)
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show uint8 images (N, C, H, W)."""
        (self._reals if real else self._fakes).add(images, self.extractor)

    def compute(self) -> dict[str, float]:
        """The mean distance of pairs of fakes since the last reset, and of pairs of reals."""
        if not (self._reals.count and self._fakes.count):
            raise ValueError("the diversity of pairs needs at least two reals and two fakes")
        return {"lpips_diversity": self._fakes.mean, "reals": self._reals.mean}

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes = _Pairs(self.pairs)


class _Pairs:
    """The distances of consecutive images, however they are cut into batches."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.count = 0
        self._sum = 0.0
        self._single: Tensor | None = None

    @property
    def mean(self) -> float:
        """Over all pairs so far."""
        return self._sum / self.count

    def add(self, images: Tensor, extractor: Extractor) -> None:
        """Take in further images."""
        if self.count == self.wanted:
            return
        if self._single is not None:
            images = torch.cat([self._single, images])
        pairs = min(len(images) // 2, self.wanted - self.count)
        self._single = images[2 * pairs :][:1] if len(images) % 2 else None
        if pairs:
            with torch.no_grad():
                features = extractor(images[: 2 * pairs]).double().unflatten(0, (pairs, 2))
            self._sum += float((features[:, 0] - features[:, 1]).square().sum())
            self.count += pairs
