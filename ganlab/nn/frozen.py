"""Networks that are used and neither trained nor saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from torch import Tensor, nn


class Frozen(nn.Module):
    """Holds a network of fixed weights, such as one for perceptual terms or a discriminator's features.

    The network moves with the module that holds it, to another device or type. It is no part of it otherwise: it is not
    in `state_dict`, so that checkpoints hold no copy of weights that come from elsewhere; it has no parameters, so that
    no player owns, trains or averages them; and it stays in evaluation mode. Gradients pass through it to its inputs.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._held = (network.eval().requires_grad_(False),)  # in a tuple, torch does not register it

    @property
    def network(self) -> nn.Module:
        """The network itself."""
        return self._held[0]

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the network makes of its inputs."""
        return self.network(*inputs, **options)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # All of torch's moves, `to`, `cuda`, `double` and so on, come through here.
        self.network._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self
