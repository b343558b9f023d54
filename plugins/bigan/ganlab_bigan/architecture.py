"""The game of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganlab import Batch, Fakes, Latents, Randomness, Scores, TwoPlayerGAN, UserError, Views
from ganlab.contracts import Discriminator, Generator
from ganlab.randomness import layer_draws

CODE = "code"
"""The input that holds an image's latents: those that a fake was made of, or what the encoder makes of a real."""


class BiGAN(TwoPlayerGAN):
    """A generator and an encoder that make pairs of image and latents alike (Dumoulin et al., Donahue et al., 2017).

    The discriminator judges pairs: reals with what the encoder makes of them, (x, E(x)), and fakes with the latents
    that they were made of, (G(z), z). Generator and encoder are one player, which minimises its loss of both pairs with
    the labels exchanged: softplus(D(x, E(x))) + softplus(-D(G(z), z)) for `non_saturating`. With an encoder that is
    `stochastic` this is ALI: it draws codes from a normal distribution around its mean, with a deviation of its own.
    Both networks are averaged.

    Args:
        generator: latents to images.
        encoder: Images to latents; it has the attributes `latent_size` and `stochastic`, and returns (N, latent_size),
            or if it is stochastic (N, 2 * latent_size), means and then logarithms of deviations.
        discriminator: images and latents to logits; its attribute `latent_size` says how many numbers it takes.
        latents: `normal`, as in ALI, or `uniform` in [-1, 1], as in BiGAN.
    """

    averaged: ClassVar[tuple[str, ...]] = ("generator", "encoder")
    example: ClassVar[Mapping[str, Any]] = {
        "generator": {
            "name": "ali",
            "latent_size": 5,
            "layers": [[4, 1, 4], [4, 2, 4], [4, 1, 4], [4, 1, 4]],
            "normalizer": "none",
            "deviation": 0.2,
        },
        "encoder": {
            "name": "ali_encoder",
            "latent_size": 5,
            "layers": [[4, 2, 4], [3, 2, 4], [3, 1, 4]],
            "normalizer": "none",
            "deviation": 0.2,
        },
        "discriminator": {
            "name": "ali",
            "latent_size": 5,
            "layers": [[4, 2, 4], [3, 2, 4], [3, 1, 4]],
            "latent_units": [4],
            "joint_units": [6],
            "deviation": 0.2,
        },
        "loss": "non_saturating",
    }

    def __init__(
        self,
        generator: Generator,
        encoder: Generator,
        discriminator: Discriminator,
        latents: Literal["normal", "uniform"] = "normal",
        **options: Any,
    ) -> None:
        _check_sizes(generator, encoder, discriminator)
        super().__init__(generator, discriminator, **options)
        self.encoder = encoder
        self.latents = latents

    def players(self) -> dict[str, nn.Module]:
        """The encoder is trained with the generator."""
        both = nn.ModuleDict({"generator": self.generator, "encoder": self.encoder})  # type: ignore[dict-item]
        return {"discriminator": self.discriminator, "generator": both}  # type: ignore[dict-item]

    def draw_latents(self, random: Randomness) -> Tensor:
        """Latents (N, latent_size)."""
        if self.latents == "normal":
            return super().draw_latents(random)
        return random.uniform("latents", self.generator.latent_size) * 2 - 1

    def discriminator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        """Tell pairs with reals from pairs with fakes."""
        with torch.no_grad():
            batch = self._with_codes(batch)
        return super().discriminator_terms(batch)

    def generator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        """Make pairs with fakes that are taken for those with reals, and the other way round."""
        return super().generator_terms(self._with_codes(batch))

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        """What the encoder wants, unless the loss looks at reals itself: that a real with its code passes for fake."""
        if player == "discriminator" or getattr(self.loss, "needs_real_logits", False):
            return {}
        losses = [self.loss.generator(None, -logits) for logits in views.real_scores.scales]
        return {"encoder": torch.stack(losses).mean()}

    def fakes(self, batch: Batch) -> Fakes:
        """The plain game's fakes, with their latents as codes."""
        made = super().fakes(batch)
        return replace(made, inputs={**made.inputs, CODE: made.latents})

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        """The discriminator's answer about pairs."""
        return self.discriminator(images, inputs[CODE], labels)

    def real_logits(self, batch: Batch) -> Tensor | None:
        """Of reals with their codes."""
        return super().real_logits(self._with_codes(batch))

    def show_batch(self, batch: Batch) -> None:
        """Both networks see the whole batch."""
        super().show_batch(batch)
        self._with_codes(batch)

    # ---------------------------------------------------------------- after training

    def encode(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        random: Randomness | None = None,
        averaged: bool = True,
    ) -> Tensor:
        """Latents (N, latent_size) of images in [-1, 1]: the means of a stochastic encoder, or with `random` draws."""
        return self._code(self.network("encoder", averaged)(images, labels), random)

    def made_from(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Reconstructions are made from examples."""
        return ("images",) if options.get("reconstruct") else ()

    def render(self, latents: Latents, *, reconstruct: bool = False, averaged: bool = True) -> Tensor:
        """Images of latents, or of what the encoder makes of examples.

        Args:
            latents: as `draw` makes them.
            averaged: use the averaged weights.
            reconstruct: Show examples of the data and, beside them, what encoder and generator make of them.
        """
        if reconstruct:
            latents = replace(latents, values=self.encode(latents.inputs["images"], latents.labels, averaged=averaged))
        return super().render(latents, averaged=averaged)

    def panels(
        self, fakes: Tensor, inputs: Mapping[str, Tensor], images: Tensor | None, random: Randomness
    ) -> Sequence[Tensor]:
        """A real and its reconstruction; of other samples what the plain game shows."""
        if "images" in inputs:
            return [inputs["images"], fakes]
        return super().panels(fakes, inputs, images, random)

    # ---------------------------------------------------------------- inside

    def _with_codes(self, batch: Batch) -> Batch:
        with layer_draws(batch.random.scoped("encoder")):
            answer = self.encoder(batch.images, batch.labels)
        code = self._code(answer, batch.random.scoped("code"))
        return replace(batch, inputs={**batch.inputs, CODE: code})

    def _code(self, answer: Tensor, random: Randomness | None) -> Tensor:
        if not self.encoder.stochastic:  # type: ignore[attr-defined]
            return answer
        mean, logarithm = answer.chunk(2, dim=1)
        return mean if random is None else mean + logarithm.exp() * random.normal("code", mean.shape[1])


def _check_sizes(generator: Generator, encoder: Generator, discriminator: Discriminator) -> None:
    """Raise `UserError` for networks that do not fit together."""
    if not hasattr(encoder, "stochastic"):
        raise UserError(
            f"{type(encoder).__name__} is no encoder: take one of images, such as 'ali_encoder' or 'bigan_mlp_encoder'"
        )
    judged = getattr(discriminator, "latent_size", None)
    if judged is None:
        raise UserError(
            f"{type(discriminator).__name__} judges images alone: take a discriminator of pairs, such as 'ali', "
            "'bigan' or 'bigan_mlp'"
        )
    if not generator.latent_size == encoder.latent_size == judged:
        raise UserError(
            f"the generator takes {generator.latent_size} latents, the encoder makes {encoder.latent_size} and the "
            f"discriminator judges {judged}: give all three the same 'latent_size'"
        )
