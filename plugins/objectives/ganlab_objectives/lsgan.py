"""Least squares loss."""

from __future__ import annotations

from torch import Tensor

from ganlab.schedules import Scheduled


class LeastSquares:
    """Half the squared distance of the logits to a target each (Mao et al., 2017).

    The targets are the paper's a, b and c, here its 0-1 coding; (-1, 1, 0) is its other choice.

    Args:
        fake_target: what the discriminator wants for fakes.
        real_target: what the discriminator wants for reals.
        generator_target: what the generator wants for fakes.
    """

    def __init__(
        self, fake_target: Scheduled = 0.0, real_target: Scheduled = 1.0, generator_target: Scheduled = 1.0
    ) -> None:
        self.fake_target = fake_target
        self.real_target = real_target
        self.generator_target = generator_target

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Squared distances of reals and fakes to their targets."""
        return _half_square(real_logits - self.real_target) + _half_square(fake_logits - self.fake_target)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """Squared distance of the fakes to the generator's target."""
        return _half_square(fake_logits - self.generator_target)


def _half_square(distance: Tensor) -> Tensor:
    return distance.square().mean() / 2
