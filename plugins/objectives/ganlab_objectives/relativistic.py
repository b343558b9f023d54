"""Relativistic loss on pairs: a real is judged against the fake beside it."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from ganlab_objectives.inner_functions import INNER_FUNCTIONS, Inner


class Relativistic:
    """How much more real the i-th real looks than the i-th fake: RSGAN, RpGAN (Jolicoeur-Martineau, 2019).

    The generator plays the same game with the roles exchanged.

    Args:
        inner: what is asked of the margin f(real) - f(fake): `logistic`, `hinge` or `least_squares`.
    """

    needs_real_logits: ClassVar[bool] = True

    def __init__(self, inner: Inner = "logistic") -> None:
        self._inner = INNER_FUNCTIONS[inner]

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Loss of the margin by which reals exceed fakes."""
        return self._inner(real_logits - fake_logits).mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """Loss of the margin by which fakes exceed reals."""
        assert real_logits is not None, "needs_real_logits promises the reals' logits on the generator's side"
        return self.discriminator(fake_logits, real_logits)
