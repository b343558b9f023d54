"""How much images resemble each other."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlab import UserError
from ganlab.bounds import Examples
from ganlab_metrics.structural_similarity import ms_ssim


class PairSimilarity:
    """Mean multi-scale structural similarity of pairs of fakes, and of pairs of `reals` to compare with.

    It tells nothing of quality: fakes that are more alike than the reals are, lack diversity (Odena et al., 2017). The
    first fake is compared with the second, the third with the fourth, and so on, `pairs` times or as often as there
    are images: 10,000 pairs, as published with ProGAN, take 20,000 samples.
    """

    def __init__(self, shape: tuple[int, ...], pairs: Examples = 10_000) -> None:
        if len(shape) != 3:
            raise UserError(
                f"ms_ssim compares images; these data are vectors of {math.prod(shape)} numbers: leave it out"
            )
        self.pairs = pairs
        self.protocol = {"pairs": pairs}
        self._reals = RunningSimilarity(pairs)
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show uint8 images (N, C, H, W)."""
        (self._reals if real else self._fakes).add(images)

    def compute(self) -> dict[str, float]:
        """The mean similarity of pairs of fakes since the last reset, and of pairs of reals."""
        if not (self._reals.count and self._fakes.count):
            raise ValueError("the similarity of pairs needs at least two reals and two fakes")
        return {"ms_ssim": self._fakes.mean, "reals": self._reals.mean}

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes = RunningSimilarity(self.pairs)


class RunningSimilarity:
    """The mean similarity of consecutive images, however they are cut into batches."""

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs
        self.count = 0
        self._sum = 0.0
        self._left_over: Tensor | None = None

    @property
    def mean(self) -> float:
        """Over all pairs so far."""
        return self._sum / self.count

    def add(self, images: Tensor) -> None:
        """Take in further images."""
        if self._left_over is not None:
            images = torch.cat([self._left_over, images])
        missing = self.pairs - self.count
        whole = min(len(images) // 2, missing)
        self._left_over = images[2 * whole :] if len(images) % 2 and whole < missing else None
        if whole:
            even, odd = images[: 2 * whole].float().unflatten(0, (whole, 2)).unbind(1)
            self._sum += float(ms_ssim(even, odd).double().sum())
            self.count += whole
