"""What a classifier that was trained on the reals says of the fakes; needs no downloaded weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Examples, Seed

_SIDE = 16  # pixels that the classifier sees of each side
_SHOWN_CLASSES = 20  # a histogram of more is left out
_COVERED = 0.1  # a class is covered with this part of its share of the reals
_HELD_OUT = 0.2


class Classifier:
    """Class histogram and confidence of fakes, and for conditional ones the share that shows the class asked for.

    A support vector machine learns the pixels, at most 16 x 16 of them a channel, of at most `examples` reals.
    `real_accuracy` is its accuracy on a fifth of these that it did not learn from: the bound of what `accuracy` can
    tell. `share/<class>` is the histogram (up to 20 classes), `entropy` its entropy as a share of the largest
    possible, `covered` the classes with at least a tenth of their share of the reals, `confidence` the mean
    probability of the class that is chosen. `accuracy` compares with the labels that the fakes were made with; a
    generator that ignores labels gets what chance gives.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"accuracy": True, "confidence": True, "covered": True}

    def __init__(self, facts: DataFacts, examples: Examples = 5000, seed: Seed = 0) -> None:
        if facts.classes < 2:
            raise UserError(
                "the metric 'classifier' needs data with labels of at least 2 classes, and these have "
                f"{facts.classes}; name another data set or leave the metric out"
            )
        self.class_names = facts.class_names
        self.examples = examples
        self.seed = seed
        self.protocol = {"examples": examples, "metric_seed": seed}
        self._features: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []
        self._trained: PixelClassifier | None = None
        self.reset()

    def update(self, images: Tensor, real: bool, labels: Tensor | None = None) -> None:
        """Show uint8 images (N, C, H, W) or vectors (N, D); reals with their labels, fakes with those asked for."""
        if real:
            assert labels is not None, "data with classes have labels"
            self._collect(images, labels)
            return
        probabilities = self._classifier().probabilities(pixel_features(images))
        chosen = probabilities.argmax(axis=1)
        self._histogram += np.bincount(chosen, minlength=len(self.class_names))
        self._confidence += float(probabilities.max(axis=1).sum())
        if labels is not None:
            self._agreed = (self._agreed or 0) + int((chosen == labels.cpu().numpy()).sum())

    def probabilities(self, images: Tensor) -> Tensor:
        """What the classifier says of uint8 images (N, C, H, W) or vectors (N, D), by class: (N, classes)."""
        return torch.from_numpy(self._classifier().probabilities(pixel_features(images)))

    @property
    def real_accuracy(self) -> float:
        """The accuracy on reals that the classifier did not learn from."""
        return self._classifier().accuracy

    def compute(self) -> dict[str, float]:
        """The numbers for the fakes since the last reset."""
        total = int(self._histogram.sum())
        if total == 0:
            raise ValueError("the metric 'classifier' needs at least one fake")
        shares = self._histogram / total
        trained = self._classifier()
        values = {
            "confidence": self._confidence / total,
            "entropy": _entropy(shares) / math.log(len(shares)),
            "covered": float((shares[trained.shares > 0] >= _COVERED * trained.shares[trained.shares > 0]).sum()),
            "real_accuracy": trained.accuracy,
        }
        if self._agreed is not None:
            values["accuracy"] = self._agreed / total
        if len(shares) <= _SHOWN_CLASSES:
            values |= {f"share/{name}": float(share) for name, share in zip(self.class_names, shares, strict=True)}
        return values

    def reset(self) -> None:
        """Forget the fakes."""
        self._histogram = np.zeros(len(self.class_names), dtype=np.int64)
        self._confidence = 0.0
        self._agreed: int | None = None

    def _collect(self, images: Tensor, labels: Tensor) -> None:
        room = self.examples - sum(map(len, self._labels))
        if room > 0:
            self._features.append(pixel_features(images[:room]))
            self._labels.append(labels[:room].cpu().numpy())

    def _classifier(self) -> PixelClassifier:
        if self._trained is None:
            features, labels = np.concatenate(self._features), np.concatenate(self._labels)
            self._trained = PixelClassifier(features, labels, len(self.class_names), self.seed)
            self._features, self._labels = [], []
        return self._trained


class PixelClassifier:
    """A support vector machine with probabilities that learned rows of `pixel_features` with their labels (N,).

    A fifth is not learned: `accuracy` is that on them. `shares` are those of the classes among all rows.
    """

    def __init__(self, features: np.ndarray, labels: np.ndarray, classes: int, seed: int) -> None:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        self.classes = classes
        self.shares = np.bincount(labels, minlength=classes) / len(labels)
        order = np.random.default_rng(seed).permutation(len(labels))
        held_out, learned = np.split(order, [round(_HELD_OUT * len(order))])
        machine = CalibratedClassifierCV(SVC(C=10.0), ensemble=False, cv=3)
        self._model: Any = make_pipeline(StandardScaler(with_std=False), machine)
        self._model.fit(features[learned], labels[learned])
        self.accuracy = float((self._model.predict(features[held_out]) == labels[held_out]).mean())

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(N, classes); classes that no real showed have the probability 0."""
        known = self._model.predict_proba(features)
        every = np.zeros((len(features), self.classes))
        every[:, self._model.classes_] = known
        return every


def pixel_features(images: Tensor) -> np.ndarray:
    """Rows of numbers: bytes as [0, 1], large images averaged down."""
    numbers = images.float().cpu()
    if numbers.dim() == 4:
        size = tuple(min(side, _SIDE) for side in numbers.shape[2:])
        numbers = F.adaptive_avg_pool2d(numbers / 255, size)
    return torch.flatten(numbers, 1).numpy()


def _entropy(shares: np.ndarray) -> float:
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())
