"""Colour operations as one affine map of colours."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlab_augment.channels import colour_channels, on_colours
from ganlab_augment.operations import GROUPS, Draws, angle, nothing_drawn


def apply_colour(images: Tensor, draws: Draws) -> Tensor:
    """Images (N, C, H, W) with their colours mapped, each image's by its own draws; transparency stays."""
    if not any(operation in draws for operation in GROUPS["colour"]):
        return images
    matrix, offset = colour_map(draws)
    if nothing_drawn(matrix - torch.eye(matrix.shape[1], device=matrix.device)) and nothing_drawn(offset):
        return images
    return on_colours(images, lambda colours: _mapped(colours, matrix, offset))


def _mapped(colours: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    mapped = torch.baddbmm(offset[:, :, None], matrix, colours.flatten(2))
    return mapped.view(colours.shape)


def colour_map(draws: Draws) -> tuple[Tensor, Tensor]:
    """Matrices (N, C, C) and offsets (N, C) of C colours, for all operations in their order.

    That is brightness, contrast, flip of luma, hue and saturation.
    """
    images = draws.images
    count, channels = len(images), colour_channels(images.shape[1])
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
