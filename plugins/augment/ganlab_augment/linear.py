"""Linear maps of images that can be differentiated as often as one likes.

The derivative of a linear map is its adjoint, whose derivative is the map again: neither has to remember an image, and
what happens inside makes no graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor


class LinearMap(Protocol):
    """A map of images (N, C, H, W) and its adjoint, both image by image."""

    def apply(self, images: Tensor) -> Tensor:
        """Mapped images."""

    def adjoint(self, gradients: Tensor) -> Tensor:
        """Where gradients of mapped images go."""


def apply_linear(images: Tensor, linear: LinearMap) -> Tensor:
    """What the map makes of the images; gradients, and those of gradients, reach the images."""
    mapped: Tensor = _Linear.apply(images, linear, False)
    return mapped


class OnRows:
    """Maps for some images of a batch each; the other images stay as they are."""

    def __init__(self, parts: Sequence[tuple[Tensor, LinearMap]]) -> None:
        self.parts = parts

    def apply(self, images: Tensor) -> Tensor:
        """The images, those of each part as its map makes them."""
        mapped = images.clone()
        for rows, linear in self.parts:
            mapped[rows] = linear.apply(images[rows])
        return mapped

    def adjoint(self, gradients: Tensor) -> Tensor:
        """The same with the adjoints."""
        spread = gradients.clone()
        for rows, linear in self.parts:
            spread[rows] = linear.adjoint(gradients[rows])
        return spread


class BothWays:
    """Images (N, C, H, W) as `down` (N, 1, h, H) takes their columns and `across` (N, 1, w, W) their rows.

    `transposed` ones are transposed before that, where H and W are meant to be those of the transposed images.
    """

    def __init__(self, down: Tensor, across: Tensor, *, transposed: bool = False) -> None:
        self.down = down
        self.across = across
        self.transposed = transposed

    def apply(self, images: Tensor) -> Tensor:
        """Images (N, C, h, w)."""
        images = images.transpose(2, 3) if self.transposed else images
        return self.down @ images @ self.across.transpose(2, 3)

    def adjoint(self, gradients: Tensor) -> Tensor:
        """Where gradients (N, C, h, w) go."""
        spread = self.down.transpose(2, 3) @ gradients @ self.across
        return spread.transpose(2, 3) if self.transposed else spread


def apply_to_rows(images: Tensor, parts: Sequence[tuple[Tensor, LinearMap]]) -> Tensor:
    """Images of which some, given by their rows, are mapped, and which are the same tensor if none are."""
    return apply_linear(images, OnRows(parts)) if parts else images


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, linear: LinearMap, adjoint: bool) -> Tensor:
        ctx.linear, ctx.adjoint = linear, adjoint
        return linear.adjoint(images) if adjoint else linear.apply(images)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        spread: Tensor = _Linear.apply(gradient, ctx.linear, not ctx.adjoint)
        return spread, None, None
