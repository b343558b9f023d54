"""How much of the classes is seen in samples that were made small and large again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn.functional import interpolate

from ganlab import DataFacts, UserError
from ganlab.bounds import Seed, Side, Steps
from ganlab_metrics.class_features import small_network, train_on

_BLOCK = 256


class ResizedAccuracy:
    """Share of fakes whose class a classifier tells, as they are and reduced to lower resolutions (Odena et al., 2017).

    A generator that uses its resolution loses by the reduction. `resized_accuracy` is of fakes as they are, `at/16` of
    fakes that were reduced to 16 pixels a side and enlarged again, `reals` and `reals/16` the same of reals: of one
    half of them, for the classifier, a small network, learned from the other. The paper's numbers, 10.1% at 128 pixels,
    7.0% at 64 and 5.0% at 32, are of Inception and a thousand classes, and not to be compared with these.

    Args:
        facts: Facts of the data.
        resolutions: pixels of the larger side; null takes the halves of the image's down to 4.
        width: channels of the network's first layer.
        passes: how often it sees its half of the reals.
        seed: Seed of its weights and of the order of examples.
    """

    higher_is_better: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"resolutions": [8], "width": 4, "passes": 1}

    def __init__(
        self,
        facts: DataFacts,
        resolutions: Sequence[Side] | None = None,
        width: Annotated[int, Ge(1), Le(4096)] = 32,
        passes: Steps = 8,
        seed: Seed = 0,
    ) -> None:
        if facts.classes < 2 or not facts.is_images:
            raise UserError("resized_accuracy needs images with labels of at least 2 classes: leave it out")
        side = facts.side
        assert side is not None
        too_large = [pixels for pixels in resolutions or () if pixels >= side]
        if too_large:
            raise UserError(f"'resolutions' has {too_large[0]}, and images have {side} pixels: name lower ones")
        self.facts = facts
        self.resolutions = list(resolutions) if resolutions is not None else _halves(side)
        self.width, self.passes, self.seed = width, passes, seed
        self.protocol = {"resolutions": self.resolutions, "width": width, "passes": passes, "metric_seed": seed}
        self._reals: list[tuple[Tensor, Tensor]] = []
        self._network: torch.nn.Module | None = None
        self._of_reals: Mapping[str, float] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes: list[tuple[Tensor, Tensor]] = []

    def update(self, images: Tensor, real: bool, labels: Tensor | None) -> None:
        """Show uint8 images (N, C, H, W) with their classes."""
        assert labels is not None, "data with classes have labels"
        (self._reals if real else self._fakes).append((images.cpu(), labels.cpu()))

    def compute(self) -> dict[str, float]:
        """The accuracies of the fakes since the last reset."""
        if not (self._reals and self._fakes):
            raise ValueError("the accuracy of resized fakes needs at least two reals and one fake")
        if self._network is None:
            images, labels = _joined(self._reals)
            self._network = small_network(images.shape[1], self.facts.classes, self.width, self.seed)
            train_on(self._network, images[::2].float() / 255, labels[::2], self.passes, self.seed)
            self._of_reals = self._accuracies(images[1::2], labels[1::2], "reals", "reals/")
        return {**self._accuracies(*_joined(self._fakes), "resized_accuracy", "at/"), **self._of_reals}

    def _accuracies(self, images: Tensor, labels: Tensor, whole: str, prefix: str) -> dict[str, float]:
        values = {whole: self._accuracy(images, labels, None)}
        return values | {f"{prefix}{pixels}": self._accuracy(images, labels, pixels) for pixels in self.resolutions}

    @torch.no_grad()
    def _accuracy(self, images: Tensor, labels: Tensor, pixels: int | None) -> float:
        assert self._network is not None
        right = 0
        for shown, known in zip(images.split(_BLOCK), labels.split(_BLOCK), strict=True):
            small = shown.float() if pixels is None else reduced_and_enlarged(shown.float(), pixels)
            right += int((self._network(small / 255).argmax(1) == known).sum())
        return right / max(1, len(labels))


def reduced_and_enlarged(images: Tensor, pixels: int) -> Tensor:
    """Float images (N, C, H, W) with the detail of so many pixels of the larger side, bilinear in both directions."""
    sides = images.shape[2:]
    small = [max(1, round(side * pixels / max(sides))) for side in sides]
    reduced = interpolate(images, small, mode="bilinear", antialias=True)
    enlarged: Tensor = interpolate(reduced, list(sides), mode="bilinear")
    return enlarged


def _halves(side: int) -> list[int]:
    found = []
    while (side := side // 2) >= 4:
        found.append(side)
    return found


def _joined(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*parts, strict=True)
    return torch.cat(images), torch.cat(labels)
