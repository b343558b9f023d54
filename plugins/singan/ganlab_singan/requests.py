"""What is asked of a trained pyramid: samples of any size, or what it makes of a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ganlab import Latents, Randomness, UserError
from ganlab_singan.colours import in_colours, main_colours
from ganlab_singan.pyramid import GeneratorPyramid, enlarged
from ganlab_singan.scales import Size, resized

Task = Literal["samples", "paint", "edit", "harmonise", "super_resolution"]
Side = Annotated[int, Ge(8), Le(4096)]
SizeOption = tuple[Side, Side]
Colours = Annotated[int, Ge(2), Le(256)]
Share = Annotated[float, Ge(0), Le(1)]

_MASK = "mask"
_MOST_PIXELS = 2**24


@dataclass(frozen=True)
class Request:
    """The sampling options of `SinGAN.render`, with the last scale that has been trained and the sizes of all."""

    task: Task
    start: int | None
    size: Size | None
    factor: float
    feather: float
    trained: int
    sizes: tuple[Size, ...]
    colours: int | None = None

    def answer(self, pyramid: GeneratorPyramid, latents: Latents) -> Tensor:
        """Images in [-1, 1], one for each row of the latents."""
        if self.colours is not None and self.task != "paint":
            raise UserError(f"'colours' are those of a painting: leave it out, or 'task={self.task}' for 'task=paint'")
        if self.task == "samples":
            return self._samples(pyramid, latents)
        if "images" not in latents.inputs:
            raise UserError(f"'task={self.task}' is about a picture: give one as the input 'images', or by --inputs")
        picture = latents.inputs["images"]
        if picture.shape[1] != pyramid.channels:
            raise UserError(
                f"the given picture has {picture.shape[1]} channels and the training's {pyramid.channels}: set "
                f"'channels: {pyramid.channels}' in --inputs"
            )
        if self.task == "super_resolution":
            return self._larger(pyramid, picture, _random_of(latents))
        return self._changed(pyramid, picture, latents)

    def _samples(self, pyramid: GeneratorPyramid, latents: Latents) -> Tensor:
        start = check_start(self.start or 0, self.trained)
        if self.size is None:
            noise = pyramid.noise_of(latents.values, self.trained + 1)[start:]
        else:
            noise = draw_noise(pyramid, _random_of(latents), resized(self.sizes, self.size), start, self.trained)
        below = None if start == 0 else pyramid.reconstruction(start - 1).expand(latents.values.shape[0], -1, -1, -1)
        return enlarged(pyramid.in_pieces(noise, below, start), self.size or self.sizes[-1])

    def _changed(self, pyramid: GeneratorPyramid, picture: Tensor, latents: Latents) -> Tensor:
        """The picture, as coarse as the scale before `start` leaves it, refined from there on."""
        start = self._entry()
        size = self.size or like(picture, self.sizes[-1])
        sizes = resized(self.sizes, size)
        noise = draw_noise(pyramid, _random_of(latents), sizes, start, self.trained)
        coarse = enlarged(picture, sizes[start - 1])
        if self.colours is not None:
            coarse = in_colours(coarse, main_colours(pyramid.reconstruction(start - 1), self.colours))
        made = enlarged(pyramid.in_pieces(noise, coarse, start), size)
        if self.task == "paint":
            return made
        if _MASK not in latents.inputs:
            raise UserError(
                f"'task={self.task}' changes a part of a picture: say which by a mask, white where it may change, as "
                "in --inputs '{name: photograph, path: ..., mask: ...}'"
            )
        mask = latents.inputs[_MASK].to(made.dtype).view(len(made), 1, *latents.inputs[_MASK].shape[-2:])
        return torch.lerp(enlarged(picture, size), made, blurred(enlarged(mask, size).clamp(0, 1), self.feather))

    def _entry(self) -> int:
        """The scale at which a given picture enters."""
        if self.trained == 0:
            raise UserError(f"'task={self.task}' needs a scale above the coarsest, and none has been trained yet")
        scales = self.trained + 1
        usual = {"paint": 1, "edit": scales // 2, "harmonise": 3 * scales // 4}
        start = max(1, usual[self.task]) if self.start is None else self.start
        if start == 0:
            raise UserError(
                f"'start=0' is for samples: with 'task={self.task}' a picture enters at 1 to {self.trained}, the later "
                "the more of it stays"
            )
        return check_start(start, self.trained)

    def _larger(self, pyramid: GeneratorPyramid, picture: Tensor, random: Randomness) -> Tensor:
        """The picture enlarged and refined by the last scale, again and again until it is `factor` times as large."""
        if self.size is not None or self.start is not None:
            raise UserError("the size of 'task=super_resolution' follows from 'factor': leave 'size' and 'start' out")
        height, width = picture.shape[2:]
        steps = max(1, round(math.log(self.factor) / -math.log(self._ratio())))
        for step in range(1, steps + 1):
            by = self.factor ** (step / steps)
            size = round(height * by), round(width * by)
            check_pixels(size)
            drawn = random.normal(f"noise of step {step}", pyramid.channels, *size).to(picture)
            picture = pyramid.in_pieces([drawn], picture, self.trained)
        return picture

    def _ratio(self) -> float:
        """The training's factor from one scale to the one before."""
        if self.trained == 0:
            raise UserError("'task=super_resolution' needs a scale above the coarsest, and none has been trained yet")
        coarse, fine = (min(self.sizes[scale]) for scale in (self.trained - 1, self.trained))
        return coarse / fine


def draw_noise(
    pyramid: GeneratorPyramid, random: Randomness, sizes: Sequence[Size], start: int, last: int
) -> list[Tensor]:
    """Noise of other sizes for some scales."""
    check_pixels(sizes[last])
    shapes = pyramid.noise_shapes(last + 1, sizes)[start:]
    scoped = random.scoped("other sizes")
    return [scoped.normal(f"noise {scale}", *shape).to(pyramid.fixed) for scale, shape in enumerate(shapes, start)]


def check_start(start: int, trained: int) -> int:
    """The scale itself. Raises `UserError` for one that has not been trained."""
    if start > trained:
        raise UserError(f"'start' is {start}, and the scales that have been trained are 0 to {trained}")
    return start


def check_pixels(size: Size) -> None:
    """Raise `UserError` for images that would take all memory."""
    if size[0] * size[1] > _MOST_PIXELS:
        raise UserError(f"images of {size[0]:,} x {size[1]:,} pixels are more than the {_MOST_PIXELS:,} that are made")


def like(picture: Tensor, size: Size) -> Size:
    """The size of a picture's proportions whose larger side is that of `size`."""
    height, width = picture.shape[2:]
    by = max(size) / max(height, width)
    return max(1, round(height * by)), max(1, round(width * by))


def blurred(mask: Tensor, deviation: float) -> Tensor:
    """A mask (N, 1, H, W) behind a Gaussian filter of so many pixels, its border repeated."""
    if deviation == 0:
        return mask
    reach = math.ceil(3 * deviation)
    places = torch.arange(-reach, reach + 1, device=mask.device, dtype=mask.dtype)
    weights = torch.exp(-places.square() / (2 * deviation**2))
    weights = weights / weights.sum()
    mask = pad(mask, (reach,) * 4, mode="replicate")
    return conv2d(conv2d(mask, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))


def _random_of(latents: Latents) -> Randomness:
    if latents.random is None:
        raise UserError("these latents have no random numbers of their own, which other sizes and pictures need")
    return latents.random
