"""The discriminator: instance-normalised convolutions, which also judge the style of each of their levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganlab import Scores, UserError
from ganlab.bounds import Count, Natural, Positive
from ganlab.nn import Conv2d, LeakyReLU, spectral_norm
from ganlab_hologan.layers import initialised

LATENTS = "latents"
"""Name of the head that finds latents again, among those of `Scores`."""
STYLES = "style_"
"""How the names of the heads begin that judge the style of a level."""

StyleName = Literal["none", "joint", "apart"]
_SLOPE = 0.2
_EPS = 1e-5


class HoloGANDiscriminator(nn.Module):
    """Images (N, *shape) to logits (N,): 5x5 convolutions of stride 2, a logit of all that is left.

    All but the first have spectral norm and instance normalization. The defaults are the authors' network for 64x64;
    that for 128x128 has `widths: [64, 128, 256, 512, 1024]` and a style. Labels are ignored.

    Args:
        shape: (channels, height, width) of the images; each width halves both sides.
        widths: channels of the convolutions, the first first.
        latent_size: numbers in the latents that a head finds again, for the identity term; 0 for no head.
        latent_units: units of that head's hidden layer.
        style: what judges the mean and the spread of each channel in front of each instance normalization: nothing;
            one linear layer of means and standard deviations together, as in the paper; or one that reads means and
            variances as two examples apart, as the authors' code does.
        deviation: standard deviation of initial weights, which are cut at two deviations.
    """

    example: ClassVar[Mapping[str, Any]] = {"widths": [4, 5], "latent_size": 4, "latent_units": 4, "style": "joint"}

    def __init__(
        self,
        shape: tuple[int, ...],
        widths: Sequence[Count] = (64, 128, 256, 512),
        latent_size: Natural = 0,
        latent_units: Count = 128,
        style: StyleName = "none",
        deviation: Positive = 0.02,
    ) -> None:
        super().__init__()
        features = _features(shape, widths)
        self.first = nn.Sequential(_halving(shape[0], widths[0], deviation), LeakyReLU(_SLOPE))
        self.levels = nn.ModuleList([Level(*pair, style, deviation) for pair in pairwise(widths)])
        self.last = initialised(nn.Linear(features, 1), deviation)
        self.latents: nn.Module | None = None
        if latent_size:
            hidden = initialised(nn.Linear(features, latent_units), deviation)
            found = initialised(nn.Linear(latent_units, latent_size), deviation)
            self.latents = nn.Sequential(hidden, LeakyReLU(_SLOPE), found, nn.Tanh())

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits of images, with the heads that there are."""
        maps, heads = self.first(images), {}
        for number, level in enumerate(self.levels, 1):
            maps, style = level(maps)
            if style is not None:
                heads[f"{STYLES}{number}"] = style
        features = maps.flatten(1)
        if self.latents is not None:
            heads[LATENTS] = self.latents(features)
        return Scores(logits=self.last(features).flatten(), features=(features,), heads=heads)


class Level(nn.Module):
    """A convolution with spectral norm, instance normalization with gain and bias, a rectifier, and its style's logits.

    The logits are (N,), or (N, 2) where means and variances are judged apart.
    """

    def __init__(self, inputs: int, outputs: int, style: StyleName, deviation: float) -> None:
        super().__init__()
        # A style sees the convolution's bias; instance normalization alone takes it away again.
        self.convolution = _halving(inputs, outputs, deviation, bias=style != "none", normalized=True)
        self.gain = nn.Parameter(1 + deviation * torch.randn(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.rectifier = LeakyReLU(_SLOPE)
        self.joint = style == "joint"
        self.style: nn.Module | None = None
        if style != "none":
            self.style = initialised(nn.Linear((1 + self.joint) * outputs, 1), deviation)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor | None]:
        """Maps of half the sides, and what the style's judge says; statistics are in float32 or more."""
        maps = self.convolution(maps)
        exact = maps if maps.dtype == torch.float64 else maps.float()
        mean = exact.mean((2, 3))
        variance = (exact - mean[:, :, None, None]).square().mean((2, 3))
        scale = self.gain * torch.rsqrt(variance + _EPS)
        normalized = (exact - mean[:, :, None, None]) * scale[:, :, None, None] + self.bias[:, None, None]
        return self.rectifier(normalized.to(maps.dtype)), self._judged(mean, variance)

    def _judged(self, mean: Tensor, variance: Tensor) -> Tensor | None:
        if self.style is None:
            return None
        if self.joint:
            # The root of 0 has no gradient, so that what instance normalization adds is added here, too.
            together = torch.cat([mean, (variance + _EPS).sqrt()], dim=1)
            return self.style(together).flatten()  # type: ignore[no-any-return]
        return self.style(torch.stack([mean, variance], dim=1)).flatten(1)  # type: ignore[no-any-return]


def _halving(inputs: int, outputs: int, deviation: float, bias: bool = True, normalized: bool = False) -> nn.Module:
    """A convolution to half the sides, padded as TensorFlow's `SAME` does."""
    layer = initialised(Conv2d(inputs, outputs, 5, 2, bias=bias), deviation, truncated=True)
    return nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), spectral_norm(layer) if normalized else layer)


def _features(shape: tuple[int, ...], widths: Sequence[int]) -> int:
    """How many numbers the last maps have. Raises `UserError` for images that are not halved so often."""
    factor = 2 ** len(widths)
    if len(shape) != 3:
        raise UserError(f"hologan takes images (channels, height, width), not examples of the shape {tuple(shape)}")
    if not widths or shape[1] % factor or shape[2] % factor:
        raise UserError(
            f"{len(widths)} 'widths' of hologan's discriminator need images whose sides are multiples of {factor}, not "
            f"{shape[1]}x{shape[2]}: give one width or more, and no more than the sides can be halved"
        )
    sides = shape[1] // factor, shape[2] // factor
    if len(widths) > 1 and sides == (1, 1):
        raise UserError(
            f"{len(widths)} 'widths' leave one pixel of images of {shape[1]}x{shape[2]}, whose instance normalization "
            "is always 0: take fewer"
        )
    return widths[-1] * sides[0] * sides[1]
