"""Relativistic loss on averages: a real is judged against the average fake, and a fake against the average real."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from ganlab.distributed import shared_mean
from ganlab_objectives.inner_functions import INNER_FUNCTIONS, Inner


class RelativisticAverage:
    """How much more real reals look than the mean fake, and fakes less than the mean real: RaGAN.

    As in the paper (Jolicoeur-Martineau, 2019) the two halves are added; its author's code takes half of their sum.
    Gradients flow through the means as well, which are those of the batch over all ranks, and of one part of it under
    gradient accumulation. The generator plays the same game with the roles exchanged.

    Args:
        inner: what is asked of the margin: `logistic` (RaSGAN), `hinge` (RaHinge) or `least_squares` (RaLSGAN).
    """

    needs_real_logits: ClassVar[bool] = True

    def __init__(self, inner: Inner = "logistic") -> None:
        self._inner = INNER_FUNCTIONS[inner]

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Loss of the margins by which reals exceed the mean fake, and the mean real exceeds fakes."""
        reals_above = self._inner(real_logits - shared_mean(fake_logits))
        fakes_below = self._inner(shared_mean(real_logits) - fake_logits)
        return reals_above.mean() + fakes_below.mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """The same with the roles exchanged."""
        assert real_logits is not None, "needs_real_logits promises the reals' logits on the generator's side"
        return self.discriminator(fake_logits, real_logits)
