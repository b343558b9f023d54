"""The classification accuracy score: how well a classifier that has only seen fakes knows the reals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Seed, Steps
from ganlab_metrics.class_features import small_network, train_on
from ganlab_metrics.plain_features import reduced


class AccuracyScore:
    """Accuracy on reals of a small network that learned from labelled fakes (Ravuri and Vinyals, 2019).

    The paper trains a ResNet-50, for which these numbers are no substitute: they rank generators of the same data.
    Compare with held-out reals (`evaluation.reals: held_out`); `chance` is the share of the most frequent class.

    Args:
        facts: Facts of the data.
        size: pixels a side that the network sees, at most.
        width: channels of its first layer.
        passes: how often it sees the fakes.
        seed: Seed of its weights and of the order of examples.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"accuracy_score": True}
    example: ClassVar[Mapping[str, Any]] = {"size": 8, "width": 4, "passes": 2}

    def __init__(
        self,
        facts: DataFacts,
        size: Annotated[int, Ge(8), Le(1024)] = 32,
        width: Annotated[int, Ge(1), Le(4096)] = 32,
        passes: Steps = 8,
        seed: Seed = 0,
    ) -> None:
        if facts.classes < 2 or not facts.is_images:
            raise UserError("accuracy_score needs images with labels of at least 2 classes: leave it out")
        self.facts = facts
        self.size = size
        self.width = width
        self.passes = passes
        self.seed = seed
        self.protocol = {"size": size, "width": width, "passes": passes, "metric_seed": seed}
        self._reals: list[tuple[Tensor, Tensor]] = []
        self.reset()

    def update(self, images: Tensor, real: bool, labels: Tensor | None = None) -> None:
        """Show uint8 images (N, C, H, W) with their labels."""
        assert labels is not None, "data with classes have labels"
        (self._reals if real else self._fakes).append((reduced(images, self.size).cpu(), labels.cpu()))

    def compute(self) -> dict[str, float]:
        """The accuracy of the fakes since the last reset."""
        if not (self._reals and self._fakes):
            raise ValueError("the accuracy score needs at least one real and one fake")
        network = small_network(self.facts.image_shape[0], self.facts.classes, self.width, self.seed)
        images, labels = (torch.cat(parts) for parts in zip(*self._fakes, strict=True))
        train_on(network, images, labels, self.passes, self.seed)
        with torch.no_grad():
            right = sum(int((network(shown).argmax(1) == known).sum()) for shown, known in self._reals)
        known = torch.cat([labels for _, labels in self._reals])
        chance = float(known.bincount().max()) / len(known)
        return {"accuracy_score": right / len(known), "chance": chance}

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes: list[tuple[Tensor, Tensor]] = []
