"""Weight clipping."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from annotated_types import Gt
from torch import Tensor, nn

from ganlab.schedules import Scheduled


class WeightClipping:
    """Keeps the discriminator's trained parameters within plus and minus a bound: WGAN (Arjovsky et al., 2017).

    It has no penalty: parameters are clipped after each of the discriminator's updates. Beside a normalizer that
    divides by a norm of the weight it changes little.

    Args:
        bound: largest magnitude of a parameter.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, bound: Annotated[Scheduled, Gt(0)] = 0.01) -> None:
        self.bound = bound

    def after_update(self, player: nn.Module) -> None:
        """Clip, in place."""
        parameters: list[Tensor] = [parameter for parameter in player.parameters() if parameter.requires_grad]
        torch._foreach_clamp_min_(parameters, -self.bound)
        torch._foreach_clamp_max_(parameters, self.bound)
