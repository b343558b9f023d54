"""The game in which the discriminator sees the images of every level of the generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le
from torch import Tensor

from ganlab.bounds import Natural
from ganlab.contracts import Batch, Discriminator, Generator
from ganlab.errors import UserError
from ganlab.games.growing import enlarge
from ganlab.randomness import Randomness, layer_draws
from ganlab.schedules import Scheduled
from ganlab.training.module import Terms
from ganlab.views import Latents, Scores, as_scores
from ganlab_style.architecture import StyleFakes, StyleGAN
from ganlab_style.generator import Mixing, NoiseName
from ganlab_style.multi_scale_discriminator import MultiScaleDiscriminator
from ganlab_style.pyramid import Pyramid


@dataclass(kw_only=True)
class MultiScaleFakes(StyleFakes):
    """Fakes whose images are vectors of all sizes, with the numbers that belong to each size, the coarsest first."""

    part_sizes: tuple[int, ...]


class MultiScaleGAN(StyleGAN):
    """Images of all sizes at once, which one discriminator judges together (Karnewar and Wang, 2020, "MSG-GAN").

    Gradients reach every level of the generator directly, and nothing grows. Losses, penalties and wrappers see the
    images of all sizes as one vector (N, numbers), of reals by the means of their pixels, so that R1 or a gradient
    penalty is about all of them; as in the paper it is a mean over sizes. An augmentation changes all sizes
    of an image alike, as far as its draws are shares of the image. Path length is measured in the largest images.

    Args:
        generator: one with styles that has images at every level: `stylegan`, which with the options of its
            configuration A is the progressive one, or `stylegan2` with `connections: skip`, or with `growing: true`.
        discriminator: `msg`.
        shape: Shape of an image.
        style_mixing: Probability that an image gets the styles of other latents from some layer on; the paper has none.
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
        "discriminator": {"name": "msg", "channel_base": 128, "channel_max": 8, "stddev_group": 0},
        "loss": "non_saturating",
        "regularizers": [{"name": "r1", "weight": 1.0}],
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        shape: tuple[int, ...],
        style_mixing: Annotated[Scheduled, Ge(0), Le(1)] = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(generator=generator, discriminator=discriminator, style_mixing=style_mixing, **options)
        if not generator.shows_levels:  # type: ignore[attr-defined]
            raise UserError(
                f"{type(generator).__name__} has no images at every level as it is: take stylegan, or for stylegan2 "
                "'connections: skip', or 'connections: original' with 'growing: true'"
            )
        if not isinstance(discriminator, MultiScaleDiscriminator):
            raise UserError(
                f"msg needs a discriminator that takes in images of every size, 'name: msg', and not "
                f"{type(discriminator).__name__}"
            )
        self.pyramid = Pyramid(generator.levels, shape[0])  # type: ignore[attr-defined]

    def fakes(self, batch: Batch) -> MultiScaleFakes:
        """Fakes of all sizes."""
        made = super().fakes(batch)
        known = {part.name: getattr(made, part.name) for part in fields(made)}
        return MultiScaleFakes(**known, part_sizes=self.pyramid.part_sizes)

    def make_images(self, latents: Tensor, labels: Tensor | None, mixing: Mixing | None) -> tuple[Tensor, Tensor]:
        """Vectors of all sizes, and styles."""
        sizes, styles = self.generator(latents, labels, None, mixing, with_styles=True, every_level=True)
        return self.pyramid.pack(sizes), styles

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Vectors of all sizes."""
        return self.pyramid.pack(generator(latents, labels, every_level=True))

    def judge(
        self, images: Tensor, labels: Tensor | None, random: Randomness, inputs: Mapping[str, Tensor] | None = None
    ) -> Scores:
        """What the discriminator says of vectors of all sizes, each augmented by the same draws."""
        sizes = self.pyramid.unpack(images)
        if self.augmentation is not None:
            sizes = [self.augmentation(each, random) for each in sizes]
        with layer_draws(random.scoped("layers")):
            return as_scores(self.discriminator(sizes, labels))

    def discriminator_terms(self, batch: Batch) -> Terms:
        """The plain terms, on reals of all sizes."""
        return super().discriminator_terms(replace(batch, images=self.pyramid.of(batch.images)))

    def generator_terms(self, batch: Batch) -> Terms:
        """The plain terms, on reals of all sizes."""
        return super().generator_terms(replace(batch, images=self.pyramid.of(batch.images)))

    def render(
        self,
        latents: Latents,
        *,
        averaged: bool = True,
        psi: Annotated[float, Ge(0)] = 1.0,
        cutoff: Natural | None = None,
        noise: NoiseName = "all",
        level: Natural | None = None,
    ) -> Tensor:
        """Images of latents: mapped to styles, truncated, synthesised.

        Args:
            latents: as `draw` makes them.
            averaged: use the averaged weights.
            psi: distance of styles from their mean in training, as a share of what it was: 0 is the mean itself.
            cutoff: number of layers, from the coarsest on, whose styles are truncated; null for all.
            noise: layers that get noise: all, none, or those of the later (`fine`) or earlier (`coarse`) levels.
            level: show the images of an earlier level, enlarged by repeating pixels; 0 is the coarsest.
        """
        if level is None:
            return super().render(latents, averaged=averaged, psi=psi, cutoff=cutoff, noise=noise)
        levels = self.generator.levels  # type: ignore[attr-defined]
        if level >= len(levels):
            raise UserError(f"there is no level {level}: the images have the levels 0 to {len(levels) - 1}")
        styles = self.map(latents, averaged=averaged, psi=psi, cutoff=cutoff)
        images = self.network("generator", averaged).images_at(styles, [level], noise)[0]
        return enlarge(images, levels[-1].side)
