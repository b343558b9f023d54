"""The part of frames around some classes of their maps, such as a face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganlab import InputFacts, UserError
from ganlab_video.frame_inputs import planes_of_classes


@dataclass(frozen=True)
class Region:
    """A square around the pixels of some classes, as large for every frame.

    `planes` are the channels of these classes in the stack of the inputs; the square's sides are `share` of the frames'
    smaller side. `weight` is that of what is thought of it.
    """

    planes: tuple[int, ...]
    share: float
    weight: float = 1.0

    def side(self, height: int, width: int) -> int:
        """Pixels of the square's sides in frames of this size."""
        return max(1, round(self.share * min(height, width)))

    def facts(self, inputs: Mapping[str, InputFacts], shape: tuple[int, ...]) -> dict[str, InputFacts]:
        """The facts of inputs beside images (C, H, W), cut out."""
        side = self.side(*shape[1:])
        return {name: replace(facts, shape=(*facts.shape[:-2], side, side)) for name, facts in inputs.items()}

    def find(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of stacks (N, S, H, W) the top and the left of each square (N,), and whether the classes are there (N,).

        The middle of the square is that of the classes' pixels from the first to the last, as far as the frame allows.
        """
        here = maps[:, list(self.planes)].sum(1) > 0.5
        side = self.side(*maps.shape[-2:])
        top, left = (_begin(here.any(dim), side) for dim in (2, 1))
        return top, left, here.flatten(1).any(1)

    def cut(self, images: Tensor, top: Tensor, left: Tensor) -> Tensor:
        """The squares (N, C, side, side) at these places of images (N, C, H, W)."""
        places = torch.arange(self.side(*images.shape[-2:]), device=images.device)
        rows, columns = (top[:, None] + places)[:, :, None], (left[:, None] + places)[:, None]
        films = torch.arange(len(images), device=images.device)[:, None, None]
        return images[films, :, rows, columns].movedim(-1, 1)


def region_of(
    inputs: Mapping[str, InputFacts], classes: Sequence[int], share: float, weight: float, *, there: bool
) -> Region | None:
    """The region of classes of the first map; None without any, and without a judge `there` of it.

    Raises `UserError` for classes that the map does not have, and for one of both without the other.
    """
    if bool(classes) != there:
        raise UserError("'region' and 'region_discriminator' belong together: give both or neither")
    return Region(tuple(planes_of_classes(inputs, classes, "region")), share, weight) if there else None


def _begin(there: Tensor, side: int) -> Tensor:
    """Where a stretch of `side` begins (N,) whose middle is that of the first and the last place (N, places)."""
    length = there.shape[1]
    numbers = there.to(torch.uint8)
    first, last = numbers.argmax(1), length - 1 - numbers.flip(1).argmax(1)
    return ((first + last + 1 - side) // 2).clamp(0, length - side)
