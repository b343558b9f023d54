"""DiffAugment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ganlab.nn.autocast import without_autocast
from ganlab.randomness import Randomness
from ganlab_augment.channels import colours_for, on_colours

Step = Literal["colour", "translation", "cutout"]


class DiffAugment(nn.Module):
    """Random colours, translation and cutout, for any size of images (Zhao et al., 2020).

    Colour: brightness up to 0.5 up or down, saturation times 0 to 2, contrast times 0.5 to 1.5. Translation: up to an
    eighth of each side. Cutout: a rectangle of half of each side. What comes in and what is cut out is 0, a grey.

    Args:
        channels: channels of the images; transparency, the second of two or the fourth of four, and channels that are
            not colours, get no colour operation.
        policy: what to do, in this order.
    """

    def __init__(self, channels: int, policy: Sequence[Step] = ("colour", "translation", "cutout")) -> None:
        super().__init__()
        self.policy = tuple(policy)
        wanted = ("brightness", "saturation", "contrast") if "colour" in policy else ()
        self.colours = colours_for(channels, wanted)

    def forward(self, images: Tensor, random: Randomness) -> Tensor:
        """Augmented images (N, C, H, W)."""
        steps = {"colour": self._colour, "translation": _translation, "cutout": _cutout}
        with without_autocast(images.device):
            for step in self.policy:
                images = steps[step](images, random)
        return images

    def _colour(self, images: Tensor, random: Randomness) -> Tensor:
        if not self.colours:
            return images
        return on_colours(images, lambda colours: self._recoloured(colours, random))

    def _recoloured(self, images: Tensor, random: Randomness) -> Tensor:
        drawn = random.uniform("colour", 3, 1, 1, 1).to(images)
        brightness, saturation, contrast = drawn.unbind(1)
        if "brightness" in self.colours:
            images = images + (brightness - 0.5)
        if "saturation" in self.colours:
            images = _around(images.mean(1, keepdim=True), images, 2 * saturation)
        if "contrast" in self.colours:
            images = _around(images.mean((1, 2, 3), keepdim=True), images, contrast + 0.5)
        return images


def _around(centre: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    return centre + (images - centre) * factor


def _translation(images: Tensor, random: Randomness) -> Tensor:
    """Images moved by whole pixels, up to an eighth of each side in each direction; what comes in is 0."""
    drawn = random.uniform("translation", 2).to(images)
    for axis, dim in enumerate((2, 3)):
        size = images.shape[dim]
        most = round(size / 8)
        shift = (drawn[:, axis] * (2 * most + 1)).floor().long() - most
        places = torch.arange(size, device=images.device) + shift[:, None]
        shape = [len(images), 1, 1, 1]
        shape[dim] = size
        places = places.view(shape)
        inside = ((places >= 0) & (places < size)).to(images)
        images = images.gather(dim, places.clamp(0, size - 1).expand_as(images)) * inside
    return images


def _cutout(images: Tensor, random: Randomness) -> Tensor:
    """Images with a rectangle of half their sides set to 0; its centre is any pixel, so that parts may be outside."""
    drawn = random.uniform("cutout", 2).to(images)
    inside = []
    for axis, size in enumerate(images.shape[2:]):
        side = (size + 1) // 2
        first = (drawn[:, axis] * (size + 1 - side % 2)).floor() - side // 2
        places = torch.arange(size, device=images.device)
        inside.append((places >= first[:, None]) & (places < first[:, None] + side))
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return images * (~hole).to(images)
