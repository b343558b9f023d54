"""Several normalizers as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ganlab.contracts import Normalizer as Part
from ganlab.nn.normalizer import Normalizer, Unchanged
from ganlab.nn.spatial import WithoutMap, spatial_activation


class InTurn(nn.Sequential):
    """Modules one after the other, each called with the same conditioning vector or map."""

    def forward(self, images: Tensor, *vector: Tensor) -> Tensor:
        """What the last module makes of what those before it made."""
        for module in self:
            images = module(images, *vector)
        return images


class CombinedNormalizer(Normalizer):
    """Applies several normalizers in turn, to weights and to activations.

    A list where a spec wants one normalizer stands for this: `[equalized, pixelnorm]`.

    Args:
        parts: the normalizers, the first to be applied first.
    """

    example: ClassVar[Mapping[str, Any]] = {"parts": []}

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)

    @property
    def centers(self) -> bool:  # type: ignore[override]
        """Whether the first that acts on activations subtracts the mean of each channel."""
        acting = (part for part in self.parts if not isinstance(part.activation(1), Unchanged))
        return bool(getattr(next(acting, None), "centers", False))

    def weight(self, layer: nn.Module) -> nn.Module:
        """The layer after every part had its turn."""
        for part in self.parts:
            layer = part.weight(layer)
        return layer

    @property
    def takes_maps(self) -> bool:  # type: ignore[override]
        """Whether a map can modulate one of them; the others then make no use of it."""
        return any(getattr(part, "takes_maps", False) for part in self.parts)

    def activation(self, channels: int, condition: int | None = None, spatial: int | None = None) -> nn.Module:
        """The parts' modules in turn; the module itself where only one of them does anything."""
        if spatial is None:
            modules = [part.activation(channels, condition) for part in self.parts]
        else:
            modules = [_with_map(part, channels, spatial) for part in self.parts]
        acting = [module for module in modules if not isinstance(module, Unchanged)]
        if len(acting) < 2:
            return acting[0] if acting else Unchanged()
        return InTurn(*acting)


def _with_map(part: Part, channels: int, spatial: int) -> nn.Module:
    if getattr(part, "takes_maps", False):
        return spatial_activation(part, channels, spatial)
    module = part.activation(channels)
    return module if isinstance(module, Unchanged) else WithoutMap(module)
