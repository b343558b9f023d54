"""The game of a generator with styles, which are mixed in training and truncated in sampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab.bounds import Natural
from ganlab.contracts import Batch, Fakes, Generator, Latents
from ganlab.errors import UserError
from ganlab.games.growth import Stage
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.randomness import Randomness, layer_draws, of_samples
from ganlab.schedules import Scheduled
from ganlab.views import full_precision
from ganlab_style.generator import Mixing, NoiseName, StyledGenerator


@dataclass(kw_only=True)
class StyleFakes(Fakes):
    """Fakes with their styles (N, layers, size), and `synthesise(styles, labels)`, which makes images of others."""

    styles: Tensor
    synthesise: Callable[[Tensor, Tensor | None], Tensor]


class StyleGAN(TwoPlayerGAN):
    """The plain game, with styles (Karras et al., 2019).

    Args:
        generator: one with styles, such as `stylegan2`.
        style_mixing: Probability that an image gets the styles of other latents from some layer on, which is drawn
            uniformly, as all of it is for each image by itself.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {
            "name": "stylegan2",
            "latent_size": 8,
            "style_size": 8,
            "channel_base": 128,
            "channel_max": 8,
            "mapping_layers": 2,
        },
        "discriminator": {"name": "stylegan2", "channel_base": 128, "channel_max": 8, "stddev_group": 0},
        "loss": "non_saturating",
        "regularizers": [{"name": "r1", "weight": 1.0, "every": 2}],
    }

    tensor_options: ClassVar[tuple[str, ...]] = ("psi",)

    def __init__(
        self, generator: Generator, style_mixing: Annotated[Scheduled, Ge(0), Le(1)] = 0.9, **options: Any
    ) -> None:
        if not isinstance(generator, StyledGenerator):
            raise UserError(
                f"the architectures of this family need a generator with styles, such as stylegan2 or stylegan, and "
                f"{type(generator).__name__} has none"
            )
        super().__init__(generator=generator, **options)
        self.style_mixing = style_mixing

    def fakes(self, batch: Batch) -> StyleFakes:
        """Fakes, some of them with the styles of two latents."""
        labels = self.labels_of_fakes(batch)
        mixing = self._mixing(batch.random)

        def make(latents: Tensor) -> StyleFakes:
            with layer_draws(batch.random.scoped("layers")):
                images, styles = self.make_images(latents, labels, mixing)
            return StyleFakes(
                images=images,
                latents=latents,
                labels=labels,
                inputs=batch.inputs,
                styles=styles,
                synthesise=partial(self._synthesise, batch.random),
            )

        made = self.wrapped(make, self.draw_latents(batch.random), batch)
        assert isinstance(made, StyleFakes)
        return made

    def make_images(self, latents: Tensor, labels: Tensor | None, mixing: Mixing | None) -> tuple[Tensor, Tensor]:
        """Fakes as the discriminator sees them, by the generator that is trained, and their styles."""
        made: tuple[Tensor, Tensor] = self.generator(latents, labels, self.current_stage(), mixing, with_styles=True)
        return made

    def current_stage(self) -> Stage | None:
        """What the networks are called for; None for the full ones."""
        return None

    def map(
        self,
        latents: Latents,
        *,
        averaged: bool = True,
        psi: float = 1.0,
        cutoff: int | None = None,
        styles: Mapping[int, int | None] | None = None,
    ) -> Tensor:
        """Styles (N, layers, size) of latents, mixed and truncated; the options are those of `render`."""
        generator = self.network("generator", averaged)
        own: Tensor = generator.styles(latents.values, latents.labels)
        mixed = own
        for layer, seed in sorted((styles or {}).items()):
            if layer >= generator.layers:
                raise UserError(
                    f"the option 'styles' names layer {layer}; there are the layers 0 to {own.shape[1] - 1}"
                )
            others = own if seed is None else self._styles_of_seed(generator, seed, latents)
            mixed = torch.cat([mixed[:, :layer], others[:, layer:]], dim=1)
        truncated: Tensor = generator.truncate(mixed, psi, cutoff)
        return truncated

    def style_layers(self) -> int:
        """The layers of styles that the images of the current stage are made of."""
        layers: int = self.generator.layers_at(self.current_stage())  # type: ignore[attr-defined]
        return layers

    def mean_style(self, *, averaged: bool = True) -> Tensor:
        """The mean vector (size,) of training."""
        mean: Tensor = self.network("generator", averaged).average.current()
        return mean

    def style_weights(self, *, averaged: bool = True) -> Sequence[Tensor]:
        """What each layer makes of its style: matrices (outputs, size)."""
        found = self.network("generator", averaged).affine_layers()
        return [torch.cat([layer.weight for layer in found[place]]) for place in range(self.style_layers()) if found]

    def synthesise(self, styles: Tensor, *, averaged: bool = True, noise: NoiseName = "all") -> Tensor:
        """Images of styles (N, layers, size) as the networks are now."""
        images: Tensor = self.network("generator", averaged).synthesise(styles, self.current_stage(), noise)
        return images

    def render(
        self,
        latents: Latents,
        *,
        averaged: bool = True,
        psi: float = 1.0,
        cutoff: Natural | None = None,
        noise: NoiseName = "all",
        styles: Mapping[Natural, Natural | None] | None = None,
    ) -> Tensor:
        """Images of latents: mapped to styles, truncated, synthesised.

        Args:
            latents: as `draw` makes them.
            averaged: use the averaged weights.
            psi: distance of styles from their mean in training, as a share of what it was: 0 is the mean itself, and
                below it are the opposites of samples.
            cutoff: number of layers, from the coarsest on, whose styles are truncated; null for all.
            noise: layers that get noise: all, none, or those of the later (`fine`) or earlier (`coarse`) levels.
            styles: seeds whose styles layers get, each from the layer of its key on: `styles.4=7` for the layers from
                the fifth on; null gives a sample its own again.
        """
        mapped = self.map(latents, averaged=averaged, psi=psi, cutoff=cutoff, styles=styles)
        return self.synthesise(mapped, averaged=averaged, noise=noise)

    def _styles_of_seed(self, generator: Any, seed: int, latents: Latents) -> Tensor:
        """The styles of a seed's first sample, with the labels of the latents."""
        values = self.draw_latents(of_samples(seed, 1, latents.values.device))
        styles: Tensor = generator.styles(values.expand(latents.values.shape[0], -1), latents.labels)
        return styles

    def _mixing(self, random: Randomness) -> Mixing | None:
        """Each image's second latents, from the layer on that was drawn, behind the last for images without mixing."""
        layers = self.generator.layers_at(self.current_stage())  # type: ignore[attr-defined]
        if self.style_mixing == 0 or layers < 2:
            return None
        random = random.scoped("mixing")
        first = 1 + random.integers("layer", layers - 1)
        mixes = random.uniform("mixes") < self.style_mixing
        return Mixing(self.draw_latents(random), torch.where(mixes, first, layers))

    def _synthesise(self, random: Randomness, styles: Tensor, labels: Tensor | None = None) -> Tensor:
        """With the noise of the batch's fakes, so that images differ by their styles alone."""
        del labels  # the styles know them
        with layer_draws(random.scoped("layers")):
            images = self.generator.synthesise(styles, self.current_stage())  # type: ignore[attr-defined]
        result: Tensor = full_precision(images)
        return result
