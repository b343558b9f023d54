"""Colour operations as one affine map of colours."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlab_augment.operations import GROUPS, Draws, angle


def apply_colour(images: Tensor, draws: Draws) -> Tensor:
    """Images (N, 3, H, W) or (N, 1, H, W) with their colours mapped, each image's by its own draws."""
    if not any(operation in draws for operation in GROUPS["colour"]):
        return images
    matrix, offset = colour_map(draws)
    mapped = (matrix @ images.flatten(2)).view_as(images)
    return mapped + offset[:, :, None, None]


def colour_map(draws: Draws) -> tuple[Tensor, Tensor]:
    """Matrices (N, C, C) and offsets (N, C): brightness, contrast, flip of luma, hue, saturation, in this order."""
    images = draws.images
    count, channels = images.shape[:2]
    identity = torch.eye(channels, device=images.device, dtype=images.dtype)
    luma = identity.new_full((channels, channels), 1 / channels)  # the projection on the axis of greys
    matrix, offset = identity.expand(count, -1, -1), images.new_zeros(count, channels)
    if "brightness" in draws:
        shift = draws.normal() * draws.strengths["brightness"]
        offset = offset + draws.sometimes("brightness", shift, 0.0)
    for factor in _factors(draws, identity, luma):
        matrix, offset = factor @ matrix, (factor @ offset[:, :, None])[:, :, 0]
    return matrix, offset


def _factors(draws: Draws, identity: Tensor, luma: Tensor) -> list[Tensor]:
    """The linear operations as matrices (N, C, C)."""
    factors = []
    if "contrast" in draws:
        factor = draws.sometimes("contrast", draws.power_of_two("contrast"), 1.0)
        factors.append(factor[:, :, None] * identity)
    if "luma_flip" in draws:
        flipped = draws.sometimes("luma_flip", (draws.uniform() * 2).floor(), 0.0)
        factors.append(identity - 2 * flipped[:, :, None] * luma)
    if "hue" in draws:
        factors.append(_around_greys(angle(draws, "hue"), identity, luma))
    if "saturation" in draws:
        factor = draws.sometimes("saturation", draws.power_of_two("saturation"), 1.0)
        factors.append(luma + factor[:, :, None] * (identity - luma))
    return factors


def _around_greys(angles: Tensor, identity: Tensor, luma: Tensor) -> Tensor:
    """Rotations of (red, green, blue) around the axis of greys, by Rodrigues' formula."""
    cross = identity.roll(1, 0) - identity.roll(1, 1)
    cosine, sine = angles.cos()[:, :, None], angles.sin()[:, :, None]
    return cosine * identity + (1 - cosine) * luma + sine / math.sqrt(3) * cross
