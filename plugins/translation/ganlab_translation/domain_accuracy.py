"""Whether changed images are of the domain that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from ganlab_metrics.classifier import Classifier
from torch import Tensor

from ganlab import DataFacts, Latents, UserError
from ganlab.data.scaling import scale, to_bytes
from ganlab.randomness import Randomness
from ganlab.spec.model import Count

_BLOCK = 64


class DomainAccuracy:
    """The share of images that the metric `classifier` takes for the class into which they were changed.

    Reals, the held-out ones with `evaluation.reals: held_out`, are changed into every class but their own.
    `real_accuracy` is the classifier's accuracy on reals that it did not learn from: the bound of what can be told.
    `reconstruction` is the mean absolute difference, from 0 to 2, between a real and what it becomes when it is changed
    and changed back.

    Args:
        facts: Facts of the data.
        images: how many reals are changed, at most.
        examples: how many reals the classifier learns, at most.
        seed: seed of the classifier.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"domain_accuracy": True, "reconstruction": False}
    needs: ClassVar[frozenset[str]] = frozenset({"reals", "generator"})
    example_architecture: ClassVar[str] = "stargan"

    def __init__(self, facts: DataFacts, images: Count = 500, examples: Count = 5000, seed: int = 0) -> None:
        if facts.classes < 2 or not facts.is_images:
            raise UserError(
                "domain_accuracy asks a classifier for the classes of images, and these data have none: leave it out"
            )
        self.facts = facts
        self.images = images
        self.protocol = {"images": images, "examples": examples, "metric_seed": seed}
        self._classifier = Classifier(facts, examples, seed)
        self._reals: list[Tensor] = []
        self._labels: list[Tensor] = []
        self.reset()

    def reset(self) -> None:
        """Forget the changed images."""
        self._right = self._changed = 0
        self._lost = 0.0

    def update(self, images: Tensor, real: bool, labels: Tensor | None = None) -> None:
        """Show the classifier reals with their classes, and keep some."""
        assert labels is not None, "data with classes have labels"
        self._classifier.update(images, real, labels)
        room = self.images - sum(map(len, self._reals))
        if room > 0:
            self._reals.append(images[:room].cpu())
            self._labels.append(labels[:room].cpu())

    def measure(self, module: Any, random: Randomness) -> None:
        """Change the reals that were kept. Raises `UserError` for a generator that does not change images."""
        if tuple(module.sampled_from) != ("images",):
            raise UserError("domain_accuracy is about generators that change images between classes, such as stargan's")
        reals, labels = torch.cat(self._reals), torch.cat(self._labels)
        for shown, own in zip(reals.split(_BLOCK), labels.split(_BLOCK), strict=True):
            images, own = scale(shown.to(module.device), self.facts.value_range), own.to(module.device)
            for wanted in range(self.facts.classes):
                self._measure(module, images, own, torch.full_like(own, wanted))

    def compute(self) -> dict[str, float]:
        """The numbers of the last generator."""
        return {
            "domain_accuracy": self._right / self._changed,
            "reconstruction": self._lost / self._changed,
            "real_accuracy": self._classifier.real_accuracy,
        }

    def _measure(self, module: Any, images: Tensor, own: Tensor, wanted: Tensor) -> None:
        others = own != wanted
        if not others.any():
            return
        images, own, wanted = images[others], own[others], wanted[others]
        changed = _given(module, images, wanted)
        said = self._classifier.probabilities(to_bytes(changed)).argmax(1)
        self._right += int((said == wanted.cpu()).sum())
        self._changed += len(images)
        back = _given(module, changed, own)
        self._lost += float((back - images).abs().flatten(1).mean(1).sum())


def _given(module: Any, images: Tensor, labels: Tensor) -> Tensor:
    """Images with the classes of labels."""
    nothing = images.new_empty(len(images), 0)
    changed: Tensor = module.render(Latents(values=nothing, labels=labels, inputs={"images": images}))
    return changed
