"""Images of one domain to images of another, unpaired (CycleGAN: Zhu et al., 2017).

The other domain comes with the data, as `further`. A player is a `ModuleDict` of two networks; those in the slots of
`domains` see the facts of the other domain. Discriminators also see earlier fakes, from pools that are saved with the
run. Samples are images of the first domain, made of images of the other, which stand in `inputs` under its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ganlab import Batch, DataFacts, GANModule, Latents, Randomness
from ganlab.contracts import Discriminator, Generator, Loss
from ganlab.nn import ImagePool
from ganlab.views import as_scores

OTHER = "outlines"


class UnpairedGAN(GANModule):
    """Two translations, there and back, and a discriminator of each domain.

    Args:
        generator: images of the other domain to images.
        further_generator: images to images of the other domain.
        discriminator: images to logits.
        further_discriminator: images of the other domain to logits.
        loss: of each discriminator and its generator.
        facts: of the data.
        cycle: weight of the mean absolute difference between an image and itself translated there and back.
        pool: earlier fakes that are kept for each discriminator.
    """

    sampled_from: ClassVar[tuple[str, ...]] = (OTHER,)  # samples are translations of the other domain's images
    domains: ClassVar[Mapping[str, str]] = {"further_generator": OTHER, "further_discriminator": OTHER}
    example: ClassVar[dict] = {
        "generator": "translator",
        "further_generator": "translator",
        "discriminator": "small",
        "further_discriminator": "small",
        "loss": "softplus",
    }

    def __init__(
        self,
        generator: Generator,
        further_generator: Generator,
        discriminator: Discriminator,
        further_discriminator: Discriminator,
        loss: Loss,
        facts: DataFacts,
        cycle: float = 10.0,
        pool: Annotated[int, Ge(0)] = 20,
    ) -> None:
        super().__init__()
        self.generator = nn.ModuleDict({"first": generator, OTHER: further_generator})
        self.discriminator = nn.ModuleDict({"first": discriminator, OTHER: further_discriminator})
        self.loss, self.cycle = loss, cycle
        shapes = {"first": facts.shape, OTHER: facts.further[OTHER].shape}
        self.pools = nn.ModuleDict({name: ImagePool(pool, shape) for name, shape in shapes.items()})

    def discriminator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        reals = self.reals(batch)
        with torch.no_grad():
            fakes = self.translated(reals)
        terms = {}
        for name, judge in self.discriminator.items():
            shown = self.pools[name].exchange(fakes[name], batch.random.scoped(name))
            terms[name] = self.loss.discriminator(as_scores(judge(reals[name])).logits, as_scores(judge(shown)).logits)
        return terms

    def generator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        reals = self.reals(batch)
        fakes = self.translated(reals)
        back = self.translated(fakes)
        fooled = {}
        for name, judge in self.discriminator.items():
            fooled[name] = self.loss.generator(None, as_scores(judge(fakes[name])).logits)
        cycles = {f"cycle_{name}": self.cycle * l1_loss(back[name], reals[name]) for name in back}
        return fooled | cycles

    def reals(self, batch: Batch) -> dict[str, Tensor]:
        return {"first": batch.images, OTHER: batch.further[OTHER].images}

    def translated(self, images: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Images of each domain, made of those of the other."""
        return {"first": self.generator["first"](images[OTHER]), OTHER: self.generator[OTHER](images["first"])}

    def render(self, latents: Latents, *, averaged: bool = True) -> Tensor:
        return self.network("generator", averaged)["first"](latents.inputs[OTHER])

    def panels(
        self, fakes: Tensor, inputs: Mapping[str, Tensor], images: Tensor | None, random: Randomness
    ) -> Sequence[Tensor]:
        """What was translated, and what became of it."""
        return [inputs[OTHER], fakes]


class Translator(nn.Module):
    """Images to images of as many channels.

    Args:
        channels: of an image.
        width: channels inside.
    """

    def __init__(self, channels: int, width: int = 6) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(width, channels, 3, padding=1)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).tanh()
