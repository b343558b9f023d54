"""How many of the modes of stacked digits are found: a classifier reads one digit in each channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from ganlab import DataFacts, UserError

_SIDE = 8  # pixels of scikit-learn's digits
_DIGITS = 10
_HELD_OUT = 0.2
_SURE = 0.9


class StackedModes:
    """For `stacked_digits`: a support vector machine, trained on scikit-learn's single digits, reads each channel.

    `captured`: modes, of the 1,000 numbers that three digits make, with at least one sample. `modes`: how many there
    are. `kl`: divergence in nats of the samples' numbers from the uniform distribution, 0 at best; with N samples,
    even perfect ones have about (modes - 1) / 2N. `good`: share of samples of which every digit is read with a
    probability of at least 0.9; `real_good` is that of the reals. `real_accuracy`: the probability that all digits of
    a stack are read as they are, from single digits that the machine did not learn from.
    """

    example_extras: ClassVar[Mapping[str, Any]] = {"stacked_digits": 3}

    def __init__(self, facts: DataFacts, seed: int = 0) -> None:
        if facts.extras.get("stacked_digits", 0) != facts.channels:
            raise UserError(
                "the metric 'stacked_modes' reads a digit in each channel, but these data are no stacked digits; "
                "use it with stacked_digits, or leave it out"
            )
        assert facts.channels is not None
        self.channels = facts.channels
        self.seed = seed
        self.protocol = {"metric_seed": seed}
        self._reader: _Reader | None = None
        self._real_sure: list[bool] = []
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show uint8 images (N, channels, H, W)."""
        numbers, sure = self._read(images)
        if real:
            self._real_sure += sure.tolist()
            return
        self._histogram += np.bincount(numbers, minlength=len(self._histogram))
        self._sure += int(sure.sum())

    def compute(self) -> dict[str, float]:
        """The numbers for the fakes since the last reset."""
        total = int(self._histogram.sum())
        if total == 0 or self._reader is None:
            raise ValueError("the metric 'stacked_modes' needs at least one fake")
        shares = self._histogram[self._histogram > 0] / total
        values = {
            "captured": float(len(shares)),
            "modes": float(len(self._histogram)),
            "kl": max(0.0, float((shares * np.log(shares)).sum()) + math.log(len(self._histogram))),
            "good": self._sure / total,
            "real_accuracy": self._reader.accuracy**self.channels,
        }
        return values | ({"real_good": float(np.mean(self._real_sure))} if self._real_sure else {})

    def reset(self) -> None:
        """Forget the fakes."""
        self._histogram = np.zeros(_DIGITS**self.channels, dtype=np.int64)
        self._sure = 0

    def _read(self, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """The number that each stack shows, and whether all its digits are sure."""
        self._reader = self._reader or _Reader(self.seed)
        pixels = F.adaptive_avg_pool2d(images.float().cpu() / 255, _SIDE).numpy()
        probabilities = self._reader.probabilities(pixels.reshape(-1, _SIDE * _SIDE))
        probabilities = probabilities.reshape(len(images), self.channels, _DIGITS)
        places = _DIGITS ** np.arange(self.channels)[::-1]
        return probabilities.argmax(2) @ places, (probabilities.max(2) >= _SURE).all(1)


class _Reader:
    """A support vector machine with probabilities, and its accuracy on held-out digits."""

    def __init__(self, seed: int) -> None:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.datasets import load_digits
        from sklearn.svm import SVC

        pixels, classes = load_digits(return_X_y=True)
        order = np.random.default_rng(seed).permutation(len(classes))
        held_out, learned = np.split(order, [round(_HELD_OUT * len(order))])
        self._model = CalibratedClassifierCV(SVC(C=10.0), ensemble=False, cv=3)
        self._model.fit(pixels[learned] / pixels.max(), classes[learned])
        predicted = self._model.predict(pixels[held_out] / pixels.max())
        self.accuracy = float((predicted == classes[held_out]).mean())

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(N, 10)."""
        known: np.ndarray = self._model.predict_proba(features)
        return known
