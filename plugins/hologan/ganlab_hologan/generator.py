"""The generator: a volume of features, its projection, and an image of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn

from ganlab import UserError
from ganlab.bounds import Count, Positive
from ganlab.nn import Conv2d
from ganlab_hologan.layers import AdaptiveNorm, grow_maps, grow_volumes, initialised, rectifier
from ganlab_hologan.rotation import turned

_SMALLEST = 2


class HoloGANGenerator(nn.Module):
    """Latents (N, latent_size) and poses (N, 3) to images (N, *shape) in [-1, 1].

    A learned volume of features is enlarged by 3-D convolutions, styled by the latents, and turned into the pose. Its
    depth is folded into the channels, which a 1x1 convolution mixes: the projection. 2-D convolutions, styled by the
    same latents, make the image (Nguyen-Phuoc et al., 2019, section 3). The defaults are the authors' network for
    64x64; that for 128x128 has `volumes: [512, 256, 128]`, `after: [64, 64]`, `projection: 512`,
    `maps: [256, 64, 32]` and `slope: 0.2`. Labels are ignored. Where nobody gives poses, volumes are not turned.

    Args:
        shape: (channels, height, width) of the images, squares.
        latent_size: numbers in a latent vector.
        volumes: channels of the volumes, the smallest first; each next one has twice the sides.
        after: channels of 3-D convolutions behind the turning.
        projection: channels of the projection.
        maps: channels of the maps; each has twice the sides of what is before it.
        slope: Slope below zero of the rectifiers, 0 for none; those of the styles have always 0.
        deviation: standard deviation of initial weights and of the learned volume.
        gain: what the gains of channels begin at, before latents change them. At the authors' 0 the latents decide from
            the start which channels there are; at 1 all are there, and images differ by their poses first.
    """

    takes_poses: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"latent_size": 4, "volumes": [5, 4], "projection": 6, "maps": [4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 128,
        volumes: Sequence[Count] = (512, 128, 64),
        after: Sequence[Count] = (),
        projection: Count = 1024,
        maps: Sequence[Count] = (256, 64),
        slope: Annotated[float, Ge(0), Lt(1)] = 0.0,
        deviation: Positive = 0.02,
        gain: Annotated[float, Ge(0)] = 0.0,
    ) -> None:
        super().__init__()
        smallest = _smallest(shape, volumes, maps)
        depth = smallest * 2 ** (len(volumes) - 1)
        self.latent_size = latent_size
        self.template = nn.Parameter(torch.randn(volumes[0], *[smallest] * 3) * deviation)
        self.volume_norms = nn.ModuleList([AdaptiveNorm(width, latent_size, deviation, gain) for width in volumes])
        # Without biases, which instance normalization takes away again: Adam would turn their rounding into steps.
        self.volume_layers = nn.ModuleList(
            [grow_volumes(*pair, 2, deviation, bias=False) for pair in pairwise(volumes)]
        )
        seen = [volumes[-1], *after]
        self.after_layers = nn.ModuleList([grow_volumes(*pair, 1, deviation) for pair in pairwise(seen)])
        self.projection = initialised(Conv2d(seen[-1] * depth, projection, 1), deviation)
        widths = [projection, *maps]
        self.map_layers = nn.ModuleList([grow_maps(*pair, 2, deviation, bias=False) for pair in pairwise(widths)])
        self.map_norms = nn.ModuleList([AdaptiveNorm(width, latent_size, deviation, gain) for width in maps])
        self.to_image = grow_maps(widths[-1], shape[0], 1, deviation)
        self.rectifier = rectifier(slope)

    def forward(self, latents: Tensor, labels: Tensor | None = None, poses: Tensor | None = None) -> Tensor:
        """Images of latents in poses: azimuth and elevation in degrees, and scale."""
        volumes = self.volumes(latents)
        maps = self.project(volumes if poses is None else turned(volumes, poses))
        for layer, norm in zip(self.map_layers, self.map_norms, strict=True):
            maps = self.rectifier(norm(layer(maps), latents))
        images: Tensor = self.to_image(maps).tanh()
        return images

    def volumes(self, latents: Tensor) -> Tensor:
        """Volumes (N, C, depth, height, width) of latents, not yet turned."""
        template = self.template.expand(latents.shape[0], *self.template.shape)
        features = self.rectifier(self.volume_norms[0](template, latents))
        for layer, norm in zip(self.volume_layers, self.volume_norms[1:], strict=True):
            features = self.rectifier(norm(layer(features), latents))
        return features

    def project(self, volumes: Tensor) -> Tensor:
        """Maps of volumes as they are seen from the front."""
        for layer in self.after_layers:
            volumes = self.rectifier(layer(volumes))
        maps: Tensor = self.rectifier(self.projection(volumes.flatten(1, 2)))
        return maps


def _smallest(shape: tuple[int, ...], volumes: Sequence[int], maps: Sequence[int]) -> int:
    """Sides of the learned volume. Raises `UserError` for what does not come from one."""
    if len(shape) != 3 or shape[1] != shape[2]:
        raise UserError(
            f"hologan makes square images (channels, side, side), not examples of the shape {tuple(shape)}: give "
            "images that are squares, as 'image_folder' makes them"
        )
    if not volumes or not maps:
        raise UserError("hologan's generator needs one width or more in 'volumes' and in 'maps'")
    factor = 2 ** (len(volumes) - 1 + len(maps))
    if shape[1] % factor or shape[1] // factor < _SMALLEST:
        raise UserError(
            f"{len(volumes)} 'volumes' and {len(maps)} 'maps' double the sides {len(volumes) - 1 + len(maps)} times, "
            f"from a volume with a side of {_SMALLEST} or more: images have a multiple of {factor} pixels, from "
            f"{_SMALLEST * factor} on, not {shape[1]}; take fewer or more of them, or another resolution"
        )
    return shape[1] // factor
