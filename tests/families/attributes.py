"""Images to images with other attributes (StarGAN: Choi et al., 2018).

Attributes are an input of kind `numbers`. The generator changes the reals themselves; the discriminator has a head for
the attributes. All of it reaches the terms in float32, under `bf16-mixed` as well. Samples are made of the images of
held-out examples, which stand in `inputs` as `images`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from ganlab import Batch, Fakes, InputFacts, Latents, Randomness, Scores, TwoPlayerGAN, UserError, Views


@dataclass(kw_only=True)
class ChangedFakes(Fakes):
    """Fakes with the attributes (N, K) that they were given."""

    target: Tensor


class AttributesGAN(TwoPlayerGAN):
    """The plain game of reals that were given other attributes."""

    example: ClassVar[dict] = {"generator": "changer", "discriminator": "attributes", "loss": "softplus"}
    sampled_from: ClassVar[tuple[str, ...]] = ("images",)  # samples are the examples' own images, changed

    def draw_latents(self, random: Randomness) -> Tensor:
        return random.normal("latents", 0)  # there are none

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        return generator(inputs["images"], inputs["attributes"])

    def fakes(self, batch: Batch) -> ChangedFakes:
        old = batch.inputs["attributes"]
        target = batch.random.integers("target", 2, old.shape[1]).to(old)

        def make(latents: Tensor) -> ChangedFakes:
            images = self.generate(latents, None, batch.random, {"images": batch.images, "attributes": target})
            return ChangedFakes(images=images, latents=latents, inputs=batch.inputs, target=target)

        return self.wrapped(make, self.draw_latents(batch.random), batch)

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        old = batch.inputs["attributes"]
        if player == "discriminator":
            return {"attributes": binary_cross_entropy_with_logits(views.real_heads["attributes"], old)}
        back = self.generator(views.fake_images, old)
        return {
            "attributes": binary_cross_entropy_with_logits(views.fake_heads["attributes"], views.target),
            "cycle": 10 * l1_loss(back, batch.images),
        }

    def render(
        self, latents: Latents, *, attribute: Mapping[int, float] | None = None, averaged: bool = True
    ) -> Tensor:
        """Changed images.

        Args:
            attribute: attributes to set, by number; the others stay as they are.
        """
        attributes = latents.inputs["attributes"].clone()
        for index, value in (attribute or {}).items():
            if not 0 <= index < attributes.shape[1]:
                raise UserError(f"there is no attribute {index}: there are 0 to {attributes.shape[1] - 1}")
            attributes[:, index] = value
        return super().render(replace(latents, inputs={**latents.inputs, "attributes": attributes}), averaged=averaged)


class Changer(nn.Module):
    """Images and attributes to images.

    Args:
        channels: of an image.
        attributes: facts of the input.
        width: channels inside.
    """

    def __init__(self, channels: int, attributes: InputFacts, width: int = 6) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels + attributes.dimensions, width, 3, padding=1)
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, images: Tensor, attributes: Tensor) -> Tensor:
        planes = attributes[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return self.last(self.first(torch.cat([images, planes], dim=1)).relu()).tanh()


class AttributesDiscriminator(nn.Module):
    """Images to logits and, from the same features, to logits of the attributes.

    Args:
        shape: shape of one example.
        attributes: facts of the input.
        width: features of the trunk.
    """

    def __init__(self, shape: tuple[int, ...], attributes: InputFacts, width: int = 16) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), width), nn.LeakyReLU(0.2))
        self.real, self.attributes = nn.Linear(width, 1), nn.Linear(width, attributes.dimensions)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        features = self.trunk(images)
        return Scores(logits=self.real(features).flatten(), heads={"attributes": self.attributes(features)})
