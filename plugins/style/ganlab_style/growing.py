"""The game with styles whose networks grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from ganlab.contracts import Discriminator, Generator
from ganlab.errors import UserError
from ganlab.games.growing import GrowingGAN, enlarge
from ganlab.games.growth import Stage
from ganlab_style.architecture import StyleGAN
from ganlab_style.generator import NoiseName


class GrowingStyleGAN(StyleGAN, GrowingGAN):
    """The game with styles on small images first, then on ever larger ones (Karras et al., 2019).

    The paper starts at 8 pixels and gives each fade and each rest 600 kimg. Layers of styles are mixed among those of
    the stage only.

    Args:
        generator: one with styles that has layers for images of every level, such as `stylegan`.
        discriminator: one that takes images of every level, such as `stylegan`.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {
            "name": "stylegan",
            "latent_size": 8,
            "style_size": 8,
            "channel_base": 128,
            "channel_max": 8,
            "mapping_layers": 2,
            "input": "latents",  # what is normalised of a constant has gradients of rounding errors at the start
        },
        "discriminator": {"name": "stylegan", "channel_base": 128, "channel_max": 8, "stddev_group": 0},
        "loss": "non_saturating",
        "start_resolution": 8,
        "fade_kimg": 0.024,
        "stabilise_kimg": 0.024,
    }

    def __init__(self, generator: Generator, discriminator: Discriminator, **options: Any) -> None:
        super().__init__(generator=generator, discriminator=discriminator, **options)
        for network in (generator, discriminator):
            if len(self.growth.resolutions) > 1 and not getattr(network, "grows", False):
                raise UserError(
                    f"{type(network).__name__} has no layers for images of every level as it is: set 'growing: true' "
                    "and 'connections: original' for stylegan2, or take stylegan, or 'growth: none'"
                )

    def current_stage(self) -> Stage | None:
        """The stage of the current step."""
        return self.stage

    def synthesise(self, styles: Tensor, *, averaged: bool = True, noise: NoiseName = "all") -> Tensor:
        """Images of styles at the current stage, enlarged to the data's resolution by repeating pixels."""
        return enlarge(super().synthesise(styles, averaged=averaged, noise=noise), self.resolution)
