"""Relativistic losses: a fake is judged against reals and a real against fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import relu, softplus

_INNER: Mapping[str, Callable[[Tensor], Tensor]] = {
    "logistic": lambda margin: softplus(-margin),
    "hinge": lambda margin: relu(1 - margin),
    "least_squares": lambda margin: (margin - 1).square(),
}


class Relativistic:
    """How much more real the reals look than the fakes (Jolicoeur-Martineau, 2019).

    The generator plays the same game with the roles exchanged; gradients flow through both logits on both sides.

    Args:
        pairing: `paired` compares the i-th real with the i-th fake (RSGAN, RpGAN); `average` compares each with the
            mean of the others (RaGAN), the mean over the images of one pass on one device.
        inner: what is asked of the margin: `logistic`, `hinge` or `least_squares`.
    """

    needs_real_logits: ClassVar[bool] = True

    def __init__(
        self,
        pairing: Literal["paired", "average"] = "paired",
        inner: Literal["logistic", "hinge", "least_squares"] = "logistic",
    ) -> None:
        self.pairing = pairing
        self._inner = _INNER[inner]

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Loss of the margin by which reals exceed fakes."""
        if self.pairing == "paired":
            return self._inner(real_logits - fake_logits).mean()
        reals_above = self._inner(real_logits - fake_logits.mean(0))
        fakes_below = self._inner(real_logits.mean(0) - fake_logits)
        return reals_above.mean() + fakes_below.mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """Loss of the margin by which fakes exceed reals."""
        assert real_logits is not None, "needs_real_logits promises the reals' logits on the generator's side"
        return self.discriminator(fake_logits, real_logits)
