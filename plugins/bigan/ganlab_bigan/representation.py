"""What an encoder's latents know of the classes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Seed
from ganlab.contracts import WithEncoder
from ganlab.data.scaling import scale
from ganlab.randomness import Randomness

_BLOCK = 256
_BYTES = (0.0, 255.0)
_ITERATIONS = 300


class Representation:
    """Accuracy of two simple classifiers of reals, from their latents and from their pixels (Donahue et al., 2017).

    Half of the reals, of each class, are learned from, the others are asked for. `nearest_neighbour` takes the class of
    the one nearest example, `linear` is a logistic regression of numbers with mean 0 and deviation 1; `pixels/...` are
    the same of pixels. With `evaluation.reals: held_out` the encoder has never seen these reals. For architectures that
    encode images (`ganlab.WithEncoder`).

    Args:
        facts: Facts of the data.
        seed: Seed of the halves.
    """

    higher_is_better: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"reals", "generator"})
    example_architecture: ClassVar[str] = "bigan"

    def __init__(self, facts: DataFacts, seed: Seed = 0) -> None:
        if facts.classes < 2:
            raise UserError("representation compares latents with classes, and these data have none: leave it out")
        self.facts = facts
        self.seed = seed
        self.protocol = {"metric_seed": seed}
        self._reals: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._of_pixels: Mapping[str, float] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget what the last encoder said."""
        self._latents: list[Tensor] = []

    def update(self, images: Tensor, real: bool, labels: Tensor | None) -> None:
        """Keep reals and their classes."""
        assert labels is not None
        self._reals.append(images.cpu())
        self._labels.append(labels.cpu())

    def measure(self, module: Any, random: Randomness) -> None:
        """Encode all reals."""
        if not isinstance(module, WithEncoder):
            raise UserError(f"{type(module).__name__} encodes no images; representation is for games such as 'bigan'")
        value_range = _BYTES if self.facts.is_images else self.facts.value_range
        images, labels = torch.cat(self._reals), torch.cat(self._labels)
        for block, known in zip(images.split(_BLOCK), labels.split(_BLOCK), strict=True):
            given = scale(block.to(module.device), value_range)  # type: ignore[attr-defined]
            self._latents.append(module.encode(given, known.to(given.device)).flatten(1).cpu())

    def compute(self) -> dict[str, float]:
        """The accuracies."""
        labels = torch.cat(self._labels).numpy()
        if self._of_pixels is None:
            self._of_pixels = accuracies(torch.cat(self._reals).flatten(1).double().numpy(), labels, self.seed)
        of_latents = accuracies(torch.cat(self._latents).double().numpy(), labels, self.seed)
        return {**of_latents, **{f"pixels/{name}": value for name, value in self._of_pixels.items()}}


def accuracies(vectors: np.ndarray, labels: np.ndarray, seed: int = 0) -> dict[str, float]:
    """What one half of the vectors (N, D) tells of the other's labels (N,).

    Raises `ValueError` if there are too few of a class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learned, asked, known, wanted = train_test_split(vectors, labels, test_size=0.5, random_state=seed, stratify=labels)
    models = {
        "nearest_neighbour": KNeighborsClassifier(1),
        "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=_ITERATIONS)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the regression could go on
        return {name: float(model.fit(learned, known).score(asked, wanted)) for name, model in models.items()}
