"""What generators with styles share: the mapping, its running mean, mixing and truncation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganlab.games.growing import enlarge
from ganlab.games.growth import Stage
from ganlab.nn import RunningMean
from ganlab_style.levels import Level, index_of
from ganlab_style.mapping import MappingNetwork

NoiseName = Literal["all", "none", "fine", "coarse"]
"""Which layers get noise: fine ones are those of the later half of the levels, coarse ones the others."""


@dataclass(frozen=True)
class Mixing:
    """Other latents (N, latent_size), and for each image the first layer that gets its styles from them, (N,)."""

    latents: Tensor
    first: Tensor


class StyledGenerator(nn.Module):
    """Latents to images by way of styles; what game and sampling need of such a generator.

    Styles are (N, layers, size), one vector for each layer. The first two layers belong to the first level, and each
    further level has two more.
    """

    blends_labels: ClassVar[bool] = True

    def __init__(self, levels: Sequence[Level], latent_size: int, mapping: MappingNetwork, decay: float) -> None:
        super().__init__()
        self.levels = levels
        self.latent_size = latent_size
        self.layers = 2 * len(levels)
        self.mapping = mapping
        self.average = RunningMean(decay, (mapping.size,), debias=True)

    @property
    def grows(self) -> bool:
        """Whether there are layers for images of every level, none of which needs the others."""
        return True

    @property
    def shows_levels(self) -> bool:
        """Whether there are images at every level."""
        return self.grows

    def forward(
        self,
        latents: Tensor,
        labels: Tensor | None = None,
        stage: Stage | None = None,
        mixing: Mixing | None = None,
        with_styles: bool = False,
        every_level: bool = False,
    ) -> Any:
        """Images (N, C, H, W) of latents, of a stage or the full network, and where it is wanted their styles.

        With `every_level`, a list of the images of all levels, the coarsest first.
        """
        styles = self.styles(latents, labels, mixing)
        images = self.images_at(styles, range(len(self.levels))) if every_level else self.synthesise(styles, stage)
        return (images, styles) if with_styles else images

    def styles(self, latents: Tensor, labels: Tensor | None = None, mixing: Mixing | None = None) -> Tensor:
        """Styles (N, layers, size) of latents; in training the running mean takes them in."""
        vectors = self.mapping(latents, labels)
        if self.training:
            self.average.observe(vectors)
        styles = vectors[:, None].expand(-1, self.layers, -1)
        if mixing is None:
            return styles
        others = self.mapping(mixing.latents, labels)
        places = torch.arange(self.layers, device=styles.device)
        return torch.where((places >= mixing.first[:, None])[..., None], others[:, None], styles)

    def truncate(self, styles: Tensor, psi: float | Tensor, cutoff: int | None = None) -> Tensor:
        """Styles of the layers before `cutoff`, or of all, at `psi` times their distance from the mean style."""
        if not isinstance(psi, Tensor) and psi == 1:
            return styles
        mean = self.average.current().to(styles)
        truncated = mean + psi * (styles - mean)
        if cutoff is None:
            return truncated
        return torch.cat([truncated[:, :cutoff], styles[:, cutoff:]], dim=1)

    def layers_at(self, stage: Stage | None) -> int:
        """The number of layers that make the images of a stage."""
        return 2 * (index_of(self.levels, stage) + 1)

    def gets_noise(self, level: int, noise: NoiseName) -> bool:
        """Whether the layers of a level get noise."""
        is_fine = level >= len(self.levels) // 2
        return noise == "all" or (noise == "fine" and is_fine) or (noise == "coarse" and not is_fine)

    @abstractmethod
    def affine_layers(self) -> Mapping[int, Sequence[nn.Linear]]:
        """The linear maps of the styles, by the place of the layer; none where styles enter otherwise."""

    def synthesise(self, styles: Tensor, stage: Stage | None = None, noise: NoiseName = "all") -> Tensor:
        """Images of styles (N, layers, size), of a stage or the full network."""
        last = index_of(self.levels, stage)
        if stage is None or not stage.fading:
            return self.images_at(styles, [last], noise)[0]
        before, images = self.images_at(styles, [last - 1, last], noise)
        return torch.lerp(enlarge(before, stage.resolution), images, stage.blend)

    @abstractmethod
    def images_at(self, styles: Tensor, places: Sequence[int], noise: NoiseName = "all") -> list[Tensor]:
        """Images of styles (N, layers, size) at the levels of these places, which rise; later layers do not run."""
