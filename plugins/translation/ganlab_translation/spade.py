"""The game of SPADE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganlab import Batch, DataFacts, Fakes, InputFacts, Latents, Randomness, TwoPlayerGAN, UserError, Views
from ganlab.bounds import Count, Weight
from ganlab.contracts import Discriminator, Generator
from ganlab.nn.conditions import stacked
from ganlab.randomness import layer_draws
from ganlab_translation.spade_generator import EXAMPLE_FACTS

_MORE_STYLES = 2  # beside the first, in pictures


@dataclass(kw_only=True)
class StyledFakes(Fakes):
    """Fakes with mean and logarithm of the variance (N, latent_size) of their styles; without an encoder both are 0."""

    style_mean: Tensor
    style_log_variance: Tensor


class SPADE(TwoPlayerGAN):
    """Images of maps that modulate the generator's normalization (Park et al., 2019, "GauGAN").

    All inputs of the data, label maps one-hot and edges of instances, are one stack of channels (N, S, H, W). The
    generator gets latents (N, latent_size), labels and the stack, the discriminator images, labels and the stack. With
    an `encoder` the latents are drawn around what it says of the real image (Kingma and Welling, 2014), so that they
    are a style: sampling draws others, or takes those of given images. The generator's player owns the encoder as well.

    `layer_matching` and `perceptual_matching`, the published terms beside the hinge loss, are regularizers.

    Args:
        encoder: images to means and logarithms of variances of latents; null for none.
        kl: weight of the divergence of the encoder's distribution from the latents', summed over the numbers of a
            style, the mean over images. The authors' code sums over the images of a device as well, with 0.05.
    """

    averaged: tuple[str, ...] = ("generator",)  # type: ignore[misc]
    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "spade", "widths": [4, 4], "doubled_after": [0], "latent_size": 3},
        "discriminator": {"name": "multiscale", "width": 2, "layers": 2},
        "encoder": {"name": "spade_encoder", "latent_size": 3, "size": 8, "widths": [4]},
        "loss": "hinge",
        "regularizers": [{"name": "layer_matching", "weight": 10.0}],
    }
    example_facts: ClassVar[DataFacts] = EXAMPLE_FACTS

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        inputs: Mapping[str, InputFacts],
        encoder: Generator | None = None,
        kl: Weight = 0.05,
        **options: Any,
    ) -> None:
        if not inputs:
            raise UserError(
                "spade makes images of maps, and these data have no inputs: take a data set with some, such as "
                "'label_maps'"
            )
        super().__init__(generator, discriminator, **options)
        _check_sizes(generator, encoder)
        self.inputs = dict(inputs)
        self.kl = kl
        self.encoder = encoder
        if encoder is not None:
            self.averaged = ("generator", "encoder")

    def players(self) -> dict[str, nn.Module]:
        """The discriminator, and the generator with its encoder, if there is one."""
        players = super().players()
        if self.encoder is None:
            return players
        both = nn.ModuleList([players["generator"], self.encoder])  # type: ignore[list-item]
        return {**players, "generator": both}

    # ---------------------------------------------------------------- training

    def fakes(self, batch: Batch) -> StyledFakes:
        """Images of the batch's maps, in the styles of its images where there is an encoder."""
        drawn = self.draw_latents(batch.random)
        if self.encoder is None:
            mean, log_variance = torch.zeros_like(drawn), torch.zeros_like(drawn)
        else:
            with layer_draws(batch.random.scoped("encoder")):
                mean, log_variance = self.encoder(batch.images)  # type: ignore[misc]

        def make(latents: Tensor) -> StyledFakes:
            return StyledFakes(
                images=self.generate(latents, batch.labels, batch.random, batch.inputs),
                latents=latents,
                labels=batch.labels,
                inputs=batch.inputs,
                style_mean=mean,
                style_log_variance=log_variance,
            )

        return self.wrapped(make, mean + (log_variance / 2).exp() * drawn, batch)

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        """What the generator's player pays for styles that are not as latents are drawn."""
        if player != "generator" or self.encoder is None:
            return {}
        return {"kl": self.kl * divergence(views.style_mean, views.style_log_variance).mean()}

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Images of latents for the stack of the inputs."""
        images: Tensor = generator(latents, labels, self._stack(inputs))
        return images

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Any:
        """Scores of images with the stack of the inputs."""
        return self.discriminator(images, labels, self._stack(inputs))

    # ---------------------------------------------------------------- sampling

    def made_from(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Also the examples' own images, where these give the styles."""
        return ("images",) if options.get("style") == "images" else ()

    def render(
        self,
        latents: Latents,
        *,
        style: Literal["drawn", "images"] = "drawn",
        styles: Count = 1,
        averaged: bool = True,
    ) -> Tensor:
        """Images of maps.

        Args:
            latents: as `draw` makes them.
            averaged: use the averaged weights.
            style: where styles come from: `drawn`, or the `images` that belong to the maps, by the encoder.
            styles: how many styles of the same map to show beside each other, the first as without this.
        """
        if style == "images":
            latents = replace(latents, values=self._style_of(latents.inputs["images"], averaged))
        first = super().render(latents, averaged=averaged)
        if styles == 1:
            return first
        if not self.generator.latent_size or style == "images":
            raise UserError("'styles' are drawn, which needs a generator with a 'latent_size' and 'style: drawn'")
        others = [self._in_another_style(latents, index, averaged) for index in range(1, styles)]
        return torch.cat([first, *others], dim=-1)

    def panels(
        self, fakes: Tensor, inputs: Mapping[str, Tensor], images: Tensor | None, random: Randomness
    ) -> Sequence[Tensor]:
        """The maps, the fake, two fakes of other styles where there are some, and the target."""
        maps = [inputs[name] for name, facts in self.inputs.items() if facts.classes != 2 and name in inputs]
        if images is None:
            return [*maps, fakes]
        latents = self.draw(random, None, inputs)
        others = [self._in_another_style(latents, index + 1, True) for index in range(_MORE_STYLES)]
        return [*maps, fakes, *(others if self.generator.latent_size else ()), images]

    # ---------------------------------------------------------------- inside

    def _stack(self, inputs: Mapping[str, Tensor]) -> Tensor:
        return stacked(inputs, self.inputs)

    def _style_of(self, images: Tensor, averaged: bool) -> Tensor:
        if self.encoder is None:
            raise UserError("'style: images' needs an encoder, which tells the style of images, and this run has none")
        mean: Tensor = self.network("encoder", averaged)(images)[0]
        return mean

    def _in_another_style(self, latents: Latents, index: int, averaged: bool) -> Tensor:
        assert latents.random is not None, "samples are drawn"
        other = replace(latents, values=self.draw_latents(latents.random.scoped("style", index)))
        return super().render(other, averaged=averaged)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Of normal distributions (N, size) from the standard one, summed over the numbers: (N,)."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2


def _check_sizes(generator: Generator, encoder: Generator | None) -> None:
    if encoder is not None and encoder.latent_size != generator.latent_size:
        raise UserError(
            f"the encoder's styles have {encoder.latent_size} numbers, the generator takes {generator.latent_size}: "
            f"set 'architecture.generator.latent_size' to {encoder.latent_size}"
        )
