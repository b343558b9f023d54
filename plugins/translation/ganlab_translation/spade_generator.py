"""The generator of SPADE: residual blocks whose normalization a map modulates at every size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from ganlab_layers.batch import BatchNormalizer
from ganlab_layers.glorot import initialise, initialised
from ganlab_layers.spectral import SpectralNormalizer
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlab import DataFacts, InputFacts, UserError
from ganlab.bounds import Count, Natural
from ganlab.contracts import Normalizer
from ganlab.nn import CombinedNormalizer, Conv2d, leaky_relu, spatial_activation
from ganlab.nn.conditions import condition_channels

_SLOPE = 0.2

EXAMPLE_FACTS = DataFacts(
    (3, 9, 12),
    24,
    "scenes",
    inputs={"label_map": InputFacts((9, 12), "maps", classes=3), "edges": InputFacts((9, 12), "maps", classes=2)},
)
"""Of scenes of an odd height with their maps, for the conformance kit."""


class SPADEGenerator(nn.Module):
    """Latents (N, latent_size) and a stack of maps (N, S, H, W) to images (N, C, H, W) in [-1, 1] (Park et al., 2019).

    The first features are made of the latents or, where there are none, of the maps, reduced to that size. Whatever
    the maps say enters each block again, through the normalization. Sides may be any: each doubling leads to the size
    that the next halvings of the maps have, rounded up. The defaults are the published network, for crops of 256x256
    pixels. For Cityscapes, at 512x256 ("more"), sides are also doubled behind block 1; "most" has a block of 32
    channels more, in front of which they are doubled as well.

    Args:
        shape: (channels, height, width) of the images.
        inputs: facts of the data's inputs, which are the maps.
        latent_size: numbers of a latent vector; 0 begins with the maps.
        widths: channels of the residual blocks, the first first.
        doubled_after: numbers of the blocks, from 0, behind which the sides are doubled.
        normalizer: its activations are modulated by the maps, its weights are used in the blocks; null for batch norm
            over all devices and spectral norm, as published.
    """

    example: ClassVar[Mapping[str, Any]] = {"widths": [4, 2], "doubled_after": [0], "latent_size": 3}
    example_facts: ClassVar[DataFacts] = EXAMPLE_FACTS

    def __init__(
        self,
        shape: tuple[int, ...],
        inputs: Mapping[str, InputFacts],
        latent_size: Natural = 0,
        widths: Sequence[Count] = (1024, 1024, 1024, 512, 256, 128, 64),
        doubled_after: Sequence[Natural] = (0, 2, 3, 4, 5),
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        _check(shape, inputs, widths, doubled_after)
        self.latent_size = latent_size
        self.doubled_after = frozenset(doubled_after)
        spatial = condition_channels(inputs, shape)
        normalizer = normalizer or CombinedNormalizer([SpectralNormalizer(), BatchNormalizer(synchronise=True)])
        self.start = self._sizes(*shape[1:])[0]
        if latent_size:
            self.first: nn.Module = nn.Linear(latent_size, widths[0] * self.start[0] * self.start[1])
        else:
            self.first = Conv2d(spatial, widths[0], 3, padding=1)
        pairs = [(widths[0], widths[0]), *pairwise(widths)]
        self.blocks = nn.ModuleList(SPADEBlock(*pair, spatial, normalizer) for pair in pairs)
        self.last = Conv2d(widths[-1], shape[0], 3, padding=1)
        initialise(self)

    def forward(self, latents: Tensor, labels: Tensor | None, source: Tensor) -> Tensor:
        """Images of latents for a stack of maps; labels are ignored."""
        sizes = self._sizes(*source.shape[2:])
        features = self._begin(latents, source, sizes[0])
        for index, block in enumerate(self.blocks):
            features = block(features, source)
            if index in self.doubled_after:
                features = interpolate(features, sizes[len(self.doubled_after.intersection(range(index + 1)))])
        images: Tensor = self.last(leaky_relu(features, _SLOPE)).tanh()
        return images

    def _begin(self, latents: Tensor, source: Tensor, size: tuple[int, int]) -> Tensor:
        if not self.latent_size:
            started: Tensor = self.first(interpolate(source, size))
            return started
        features: Tensor = self.first(latents).unflatten(1, (-1, *self.start))
        return features if size == self.start else interpolate(features, size)

    def _sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """The sides of features, the smallest first."""
        halvings = range(len(self.doubled_after), -1, -1)
        return [(-(-height // 2**each), -(-width // 2**each)) for each in halvings]


class SPADEBlock(nn.Module):
    """A residual block; its way past the convolutions is one of 1x1, normalized as well, where channels change."""

    def __init__(self, inputs: int, outputs: int, spatial: int, normalizer: Normalizer) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.norms = nn.ModuleList(spatial_activation(normalizer, channels, spatial) for channels in (inputs, middle))
        pairs = ((inputs, middle), (middle, outputs))
        self.convolutions = nn.ModuleList(normalizer.weight(initialised(Conv2d(*pair, 3, padding=1))) for pair in pairs)
        self.past: nn.ModuleList | None = None
        if inputs != outputs:
            past = normalizer.weight(initialised(Conv2d(inputs, outputs, 1, bias=False)))
            self.past = nn.ModuleList([spatial_activation(normalizer, inputs, spatial), past])

    def forward(self, features: Tensor, source: Tensor) -> Tensor:
        """Features (N, outputs, H, W)."""
        past = features if self.past is None else self.past[1](self.past[0](features, source))
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            features = convolution(leaky_relu(norm(features, source), _SLOPE))
        result: Tensor = past + features
        return result


def _check(
    shape: tuple[int, ...], inputs: Mapping[str, InputFacts], widths: Sequence[int], doubled_after: Sequence[int]
) -> None:
    if len(shape) != 3:
        raise UserError("spade makes images, and the examples of these data are none: take another generator")
    if not inputs:
        raise UserError(
            "spade makes images of maps, and these data have no inputs: take a data set with some, such as 'label_maps'"
        )
    if (
        not widths
        or sorted(set(doubled_after)) != sorted(doubled_after)
        or max(doubled_after, default=0) >= len(widths)
    ):
        raise UserError(
            f"'doubled_after' are different numbers of the blocks, from 0 to {len(widths) - 1} for {len(widths)} "
            f"'widths', not {list(doubled_after)}"
        )
    if min(shape[1:]) < 2 ** max(0, len(doubled_after) - 1):
        raise UserError(
            f"sides are doubled {len(doubled_after)} times, which is too often for {shape[1]} x {shape[2]} pixels: "
            "give 'doubled_after' fewer blocks"
        )
