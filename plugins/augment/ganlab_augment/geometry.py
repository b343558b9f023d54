"""Where the pixels of an augmented image come from."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlab_augment.linear import LinearMap, apply_linear, apply_to_rows
from ganlab_augment.operations import GROUPS, Draws, angle
from ganlab_augment.warp import Warp, aligned_warp


def apply_geometry(images: Tensor, draws: Draws) -> Tensor:
    """Blitting and general geometry as one warp."""
    if not any(operation in draws for operation in (*GROUPS["blit"], *GROUPS["geometry"])):
        return images
    return warp(images, inverse_transform(draws)[:, :2])


def warp(images: Tensor, inverse: Tensor) -> Tensor:
    """Images (N, C, H, W) whose pixel at an offset x from the centre shows what was at `inverse` (N, 2, 3) @ (x, 1).

    Offsets are (x, y) in pixels. On the CPU, images that stay where they are cost nothing, and those that are not
    turned, or by quarters, little; on an accelerator, asking which these are would mean to wait for it.
    """
    size = (images.shape[2], images.shape[3])
    if images.device.type != "cpu":
        return apply_linear(images, Warp(inverse, *size))
    return apply_to_rows(images, _cheapest(inverse, *size))


def _cheapest(inverse: Tensor, height: int, width: int) -> list[tuple[Tensor, LinearMap]]:
    """For the images that change, the rows of each kind of warp and the warp."""
    linear = inverse[:, :, :2]
    aligned = (linear[:, 0, 1] == 0) & (linear[:, 1, 0] == 0)
    turned = (linear[:, 0, 0] == 0) & (linear[:, 1, 1] == 0)
    still = aligned & (inverse == torch.eye(2, 3, device=inverse.device)).all(-1).all(-1)
    kinds = [
        (aligned & ~still, lambda chosen: aligned_warp(chosen, height, width, turned=False)),
        (turned, lambda chosen: aligned_warp(chosen, height, width, turned=True)),
        (~(aligned | turned), lambda chosen: Warp(chosen, height, width)),
    ]
    rows = [(mask.nonzero()[:, 0], make) for mask, make in kinds]
    return [(chosen, make(inverse[chosen])) for chosen, make in rows if len(chosen)]


def inverse_transform(draws: Draws) -> Tensor:
    """Homogeneous matrices (N, 3, 3) from offsets in the result to offsets in the image, in pixels.

    The image is mirrored first and translated last, so that the inverses are multiplied in that order.
    """
    height, width = draws.images.shape[2:]
    size = draws.images.new_tensor([width, height])
    transform = torch.eye(3, device=size.device, dtype=size.dtype).expand(len(draws.images), 3, 3)
    for inverse in (*_blit(draws, size), *_general(draws, size)):
        transform = transform @ inverse
    return transform


def _blit(draws: Draws, size: Tensor) -> list[Tensor]:
    """Mirroring, quarter turns and whole shifts: every image with an operation may still draw to stay as it is."""
    inverses = []
    if "mirror" in draws:
        side = 1 - 2 * (draws.uniform() * 2).floor()
        inverses.append(_scaling(draws.sometimes("mirror", torch.cat([side, torch.ones_like(side)], 1), 1.0)))
    if "quarter_turn" in draws:
        turns = (draws.uniform() * 4).floor()
        turn = _rotation(draws.sometimes("quarter_turn", turns, 0.0) * (-math.pi / 2))
        inverses.append(turn.round())  # exact, so that what is turned by quarters only can be told
    if "shift" in draws:
        pixels = (draws.symmetric(2) * draws.strengths["shift"] * size).round()
        inverses.append(_translation(-draws.sometimes("shift", pixels, 0.0)))
    return inverses


def _general(draws: Draws, size: Tensor) -> list[Tensor]:
    """Scaling, rotation, stretching, rotation again, and translation by fractions of a pixel."""
    inverses = []
    if "scale" in draws:
        factor = draws.sometimes("scale", draws.power_of_two("scale"), 1.0)
        inverses.append(_scaling((1 / factor).expand(-1, 2)))
    if "rotate" in draws:
        inverses.append(_rotation(-angle(draws, "rotate", of_two=True)))
    if "stretch" in draws:
        factor = draws.sometimes("stretch", draws.power_of_two("stretch"), 1.0)
        inverses.append(_scaling(torch.cat([1 / factor, factor], 1)))
    if "rotate" in draws:
        inverses.append(_rotation(-angle(draws, "rotate", of_two=True)))
    if "translate" in draws:
        pixels = draws.normal(2) * draws.strengths["translate"] * size
        inverses.append(_translation(-draws.sometimes("translate", pixels, 0.0)))
    return inverses


def _scaling(factors: Tensor) -> Tensor:
    """Matrices that scale x and y by the columns of (N, 2)."""
    return torch.diag_embed(torch.cat([factors, torch.ones_like(factors[:, :1])], 1))


def _rotation(angles: Tensor) -> Tensor:
    """Matrices that turn by (N, 1)."""
    cosine, sine, zero, one = angles.cos(), angles.sin(), torch.zeros_like(angles), torch.ones_like(angles)
    return torch.cat([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1).view(-1, 3, 3)


def _translation(pixels: Tensor) -> Tensor:
    """Matrices that move by (N, 2)."""
    matrix = torch.eye(3, device=pixels.device, dtype=pixels.dtype).repeat(len(pixels), 1, 1)
    matrix[:, :2, 2] = pixels
    return matrix
