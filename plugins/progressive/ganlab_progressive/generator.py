"""The generator: 4x4 maps from a latent, doubled block by block, and an image from any of the blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Normalizer
from ganlab.games.growing import enlarge
from ganlab.games.growth import Stage
from ganlab.nn import Conv2d, PixelNorm, with_label
from ganlab.nn.resampling import ResamplingConv2d
from ganlab_progressive.parts import HE, SMALLEST, ActivationName, LayerStyle, resolutions_up_to, width_at


class ProgressiveGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, channels, R, R) of a stage's resolution R (Karras et al., 2018).

    Each block enlarges the maps by repeating pixels and has two 3x3 convolutions; a 1x1 convolution of each
    resolution makes images. A label enters one-hot beside the latents. With the defaults and 1024-pixel RGB images
    there are 23,079,115 parameters.

    Args:
        resolution: side of the full images, a power of two from 4.
        channels: channels of the images.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        fmap_base: Maps of the side r have fmap_base / (r / 2)^fmap_decay channels, but at most fmap_max.
        fmap_decay: The power of half the side in the rule of `fmap_base`.
        fmap_max: Largest number of channels.
        conditional: use the labels where the data have them.
        normalise_latents: put latents (and label) on a hypersphere: divide them by their root mean square.
        equalized: scale weights when they are used instead of when they are drawn.
        pixel_norm: after each hidden rectifier.
        normalizer: Its activations stand between hidden layers and their rectifiers, its weights are used in all.
        activation: rectifier of hidden layers.
        output: linear images, as published, or tanh of them.
        fused: enlarge and convolve in one operation, for the same images; null for where that is faster.
        bias_per_unit: the smallest maps have a bias for each number, as in some other programs, not for each channel.
    """

    blends_labels: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"latent_size": 8, "fmap_base": 32, "fmap_max": 8}

    def __init__(
        self,
        resolution: int,
        channels: int,
        classes: int = 0,
        latent_size: Count = 512,
        fmap_base: Count = 8192,
        fmap_decay: Annotated[float, Ge(0)] = 1.0,
        fmap_max: Count = 512,
        conditional: bool = True,
        normalise_latents: bool = True,
        equalized: bool = True,
        pixel_norm: bool = True,
        normalizer: Normalizer | None = None,
        activation: ActivationName = "leaky_relu",
        output: Literal["linear", "tanh"] = "linear",
        fused: bool | None = None,
        bias_per_unit: bool = False,
    ) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.resolution = resolution
        self.classes = classes if conditional else 0
        self.output = output
        self.normalise = PixelNorm() if normalise_latents else nn.Identity()
        self.resolutions = resolutions_up_to(resolution)
        style = LayerStyle(equalized, normalizer, activation, pixel_norm)
        widths = {r: width_at(r, fmap_base, fmap_decay, fmap_max) for r in self.resolutions}
        width = widths[SMALLEST]
        first = LatentMaps(latent_size + self.classes, width, bias_per_unit)
        # A quarter of the usual gain, as published.
        blocks = {SMALLEST: nn.Sequential(style.layer(first, width, HE / 4), style.convolution(width, width))}
        for r in self.resolutions[1:]:
            blocks[r] = nn.Sequential(
                style.layer(ResamplingConv2d(widths[r // 2], widths[r], 3, "up", fused), widths[r]),
                style.convolution(widths[r], widths[r]),
            )
        self.blocks = nn.ModuleDict({str(r): blocks[r] for r in self.resolutions})
        self.to_rgb = nn.ModuleDict(
            {str(r): style.weighted(Conv2d(widths[r], channels, 1), gain=1) for r in self.resolutions}
        )

    def forward(self, latents: Tensor, labels: Tensor | None = None, stage: Stage | None = None) -> Tensor:
        """Images of a stage, of the full network without one; only the layers that the stage needs run."""
        stage = stage or Stage(self.resolution)
        features = self.normalise(with_label(latents, labels, self.classes))
        for r in self.resolutions[: self.resolutions.index(stage.resolution)]:
            features = self.blocks[str(r)](features)
        coarse, key = features, str(stage.resolution)
        images: Tensor = self.to_rgb[key](self.blocks[key](features))
        if stage.fading:
            before = self.to_rgb[str(stage.resolution // 2)](coarse)
            images = torch.lerp(enlarge(before, stage.resolution), images, stage.blend)
        return images.tanh() if self.output == "tanh" else images


class LatentMaps(nn.Linear):
    """Vectors (N, inputs) to maps (N, outputs, 4, 4), with one bias for each channel, or for each of their numbers."""

    def __init__(self, inputs: int, outputs: int, bias_per_unit: bool = False) -> None:
        super().__init__(inputs, outputs * SMALLEST**2, bias=False)
        self.map_bias = nn.Parameter(torch.zeros(outputs, *[SMALLEST] * 2 if bias_per_unit else []))

    def forward(self, vectors: Tensor) -> Tensor:
        """The maps of each vector."""
        maps = super().forward(vectors).reshape(vectors.shape[0], -1, SMALLEST, SMALLEST)
        return maps + (self.map_bias if self.map_bias.dim() == 3 else self.map_bias.view(-1, 1, 1))
