"""Images to images, from pairs (pix2pix: Isola et al., 2017).

The data deliver the input beside each image. The generator makes a fake of the input instead of latents, the
discriminator sees both, and fake and target are alike because they belong to the same example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ganlab import Batch, InputFacts, Randomness, Scores, TwoPlayerGAN, Views
from ganlab.contracts import Discriminator, Generator
from ganlab.nn import Dropout


class PairedGAN(TwoPlayerGAN):
    """The plain game with the input `outline` of the data in the place of latents.

    Args:
        generator: outlines to images.
        discriminator: images and outlines to logits of patches.
        outline: facts of the input.
        distance: weight of the mean absolute difference between fakes and targets.
    """

    example: ClassVar[dict] = {"generator": "painter", "discriminator": "patches", "loss": "softplus"}

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        outline: InputFacts,
        distance: float = 10.0,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        self.distance = distance

    def draw_latents(self, random: Randomness) -> Tensor:
        return random.normal("latents", 0)  # there are none

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        return generator(inputs["outline"])

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        return self.discriminator(torch.cat([images, inputs["outline"]], dim=1))

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        if player != "generator":
            return {}
        return {"distance": self.distance * l1_loss(views.fake_images, batch.images)}


class Painter(nn.Module):
    """Outlines to images; its noise is dropout, in sampling as well.

    Args:
        channels: of an image.
        outline: facts of the input.
        width: channels inside.
    """

    def __init__(self, channels: int, outline: InputFacts, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(outline.channels, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            Dropout(0.5, always=True),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, outlines: Tensor) -> Tensor:
        return self.layers(outlines)


class Patches(nn.Module):
    """Images with their outlines to logits (N, H / 2, W / 2), one for each patch.

    Args:
        channels: of an image.
        outline: facts of the input.
        width: channels inside.
    """

    def __init__(self, channels: int, outline: InputFacts, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels + outline.channels, width, 4, stride=2, padding=1)
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, pairs: Tensor) -> Tensor:
        return self.last(torch.nn.functional.leaky_relu(self.first(pairs), 0.2)).squeeze(1)
