"""SIFID: how near the inner statistics of an image are to those of the one that was learned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_set import Features
from ganlab_metrics.frechet import frechet_distance
from ganlab_metrics.inception import InceptionPlaces


class SingleImageFID:
    """Frechet distance of the places of each fake from those of the real, the mean over the fakes (SIFID).

    Each image is a normal distribution of its own: of the vectors that an early layer has at its places (Shaham et al.,
    2019, section 3.1). Of several reals the places count together; it is made for one. It depends on the size of the
    image: only numbers of one size can be compared.

    Args:
        facts: Facts of the data.
        extractor: what makes the vectors; without it Inception's layer in front of the second pooling.
    """

    higher_is_better: ClassVar[bool] = False
    example: ClassVar[Mapping[str, Any]] = {"extractor": {"name": "random_places", "width": 2, "layers": 1}}

    def __init__(self, facts: DataFacts, extractor: Extractor | None = None) -> None:
        if not facts.is_images:
            raise UserError("sifid looks at the places of images; these data are vectors: leave it out")
        self.extractor = extractor or InceptionPlaces()
        if not hasattr(self.extractor, "places"):
            raise UserError(
                f"sifid needs the places of an image, and {type(self.extractor).__name__} makes one vector of it: "
                "take 'inception_places' or 'random_places'"
            )
        self._reals: list[Tensor] = []
        self._real: Features | None = None
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show uint8 images (N, C, H, W)."""
        for image in images.split(1):
            with torch.no_grad():
                maps: Tensor = self.extractor.places(image)  # type: ignore[attr-defined]
            places = maps[0].flatten(1).T.cpu()
            if real:
                self._reals.append(places)
                self._real = None
            else:
                self._distances.append(frechet_distance(self._of_reals(), Features(places)))

    def compute(self) -> dict[str, float]:
        """The mean distance of the fakes since the last reset."""
        if not self._distances:
            raise ValueError("sifid needs a fake at least")
        return {"sifid": sum(self._distances) / len(self._distances)}

    def reset(self) -> None:
        """Forget the fakes."""
        self._distances: list[float] = []

    def _of_reals(self) -> Features:
        if not self._reals:
            raise ValueError("sifid needs the real before the fakes")
        if self._real is None:
            self._real = Features(torch.cat(self._reals))
        return self._real
