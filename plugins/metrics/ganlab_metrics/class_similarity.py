"""How much images of one class resemble each other."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Examples
from ganlab_metrics.diversity import RunningSimilarity

_SHOWN_CLASSES = 10


class ClassSimilarity:
    """Mean multi-scale structural similarity of pairs within each class, of fakes and of reals (Odena et al., 2017).

    `class_similarity` is the mean over the classes, `reals` that of reals. `diverse` is the share of classes whose
    fakes are less alike than the reals of the class that are most alike: 84.7% as published for ImageNet. The paper's
    figure has a point for each class: for up to ten classes these are `fakes/NAME` and `reals/NAME`. Of each class the
    first image is compared with the second, the third with the fourth, and so on, `pairs` times or as often as there
    are images.

    Args:
        facts: Facts of the data.
        pairs: pairs of each class, at most; the paper has 100.
    """

    def __init__(self, facts: DataFacts, pairs: Examples = 100) -> None:
        if not facts.classes or not facts.is_images:
            raise UserError(
                "class_similarity compares images of one class, and these data have "
                + ("no classes" if facts.is_images else f"vectors of {math.prod(facts.shape)} numbers")
                + ": leave it out, or take ms_ssim for images without classes"
            )
        self.class_names = facts.class_names
        self.pairs = pairs
        self.protocol = {"pairs": pairs}
        self._reals = self._empty()
        self.reset()

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes = self._empty()

    def update(self, images: Tensor, real: bool, labels: Tensor | None) -> None:
        """Show uint8 images (N, C, H, W) with their classes."""
        assert labels is not None, "data with classes have labels"
        means = self._reals if real else self._fakes
        for label in labels.unique().tolist():
            means[label].add(images[labels == label])

    def compute(self) -> dict[str, float]:
        """The numbers of the fakes since the last reset, over classes of which there are pairs of reals and fakes."""
        known = [
            place for place in range(len(self.class_names)) if self._reals[place].count and self._fakes[place].count
        ]
        if not known:
            raise ValueError("the similarity within classes needs a class with at least two reals and two fakes")
        reals, fakes = ({place: means[place].mean for place in known} for means in (self._reals, self._fakes))
        most = max(reals.values())
        values = {
            "class_similarity": float(np.mean(list(fakes.values()))),
            "reals": float(np.mean(list(reals.values()))),
            "diverse": float(np.mean([value < most for value in fakes.values()])),
        }
        if len(self.class_names) <= _SHOWN_CLASSES:
            values |= {f"fakes/{self.class_names[place]}": value for place, value in fakes.items()}
            values |= {f"reals/{self.class_names[place]}": value for place, value in reals.items()}
        return values

    def _empty(self) -> list[RunningSimilarity]:
        return [RunningSimilarity(self.pairs) for _ in self.class_names]
