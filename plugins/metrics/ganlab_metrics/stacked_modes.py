"""How many of the modes of stacked digits are found: a classifier reads one digit in each channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Seed

_SIDE = 8  # pixels of scikit-learn's digits
_DIGITS = 10
_HELD_OUT = 0.2
_NEAR = 0.95


class StackedModes:
    """For `stacked_digits`: a support vector machine, trained on scikit-learn's single digits, reads each channel.

    `captured`: modes, of the 1,000 numbers that three digits make, with at least one sample. `modes`: how many there
    are. `kl`: divergence in nats of the samples' numbers from the uniform distribution, 0 at best; with N samples,
    even perfect ones have about (modes - 1) / 2N. `good`: share of samples of which every channel is as near to one of
    the learned digits, at 8 x 8 pixels, as 95% of digits are that were held out; `real_good` is that of the reals,
    most of which were learned. `real_accuracy`: the probability that all digits of a stack are read as they are, from
    held-out digits.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"captured": True, "good": True, "kl": False}
    example_extras: ClassVar[Mapping[str, Any]] = {"stacked_digits": 3}

    def __init__(self, facts: DataFacts, seed: Seed = 0) -> None:
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
        self._real_good: list[bool] = []
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show uint8 images (N, channels, H, W)."""
        numbers, good = self._read(images)
        if real:
            self._real_good += good.tolist()
            return
        self._histogram += np.bincount(numbers, minlength=len(self._histogram))
        self._good += int(good.sum())

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
            "good": self._good / total,
            "real_accuracy": self._reader.accuracy**self.channels,
        }
        return values | ({"real_good": float(np.mean(self._real_good))} if self._real_good else {})

    def reset(self) -> None:
        """Forget the fakes."""
        self._histogram = np.zeros(_DIGITS**self.channels, dtype=np.int64)
        self._good = 0

    def _read(self, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """The number that each stack shows, and whether all its channels look like digits."""
        self._reader = self._reader or _Reader(self.seed)
        pixels = F.adaptive_avg_pool2d(images.float().cpu() / 255, _SIDE).numpy()
        digits, good = self._reader.read(pixels.reshape(-1, _SIDE * _SIDE))
        places = _DIGITS ** np.arange(self.channels)[::-1]
        return digits.reshape(-1, self.channels) @ places, good.reshape(-1, self.channels).all(1)


class _Reader:
    """A support vector machine, its accuracy on held-out digits, and what distance from a digit is usual."""

    def __init__(self, seed: int) -> None:
        from sklearn.datasets import load_digits
        from sklearn.svm import SVC

        pixels, classes = load_digits(return_X_y=True)
        pixels = pixels / pixels.max()
        order = np.random.default_rng(seed).permutation(len(classes))
        held_out, learned = np.split(order, [round(_HELD_OUT * len(order))])
        self._learned = torch.from_numpy(pixels[learned]).float()
        self._model = SVC(C=10.0).fit(pixels[learned], classes[learned])
        self.accuracy = float((self._model.predict(pixels[held_out]) == classes[held_out]).mean())
        self._near = float(np.quantile(self._distances(pixels[held_out]), _NEAR))

    def read(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The digits (N,) that rows of 64 pixels in [0, 1] show, and whether they are near to one that was learned."""
        digits: np.ndarray = self._model.predict(pixels)
        return digits, self._distances(pixels) <= self._near

    def _distances(self, pixels: np.ndarray) -> np.ndarray:
        nearest: np.ndarray = torch.cdist(torch.from_numpy(pixels).float(), self._learned).amin(1).numpy()
        return nearest
