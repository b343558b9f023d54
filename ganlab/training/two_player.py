"""The plain game of one generator and one discriminator, which most families share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganlab.contracts import (
    Augmentation,
    Batch,
    Discriminator,
    Generator,
    Loss,
    Views,
    WeightedRegularizer,
)
from ganlab.errors import UserError
from ganlab.randomness import Randomness
from ganlab.spec.model import Count
from ganlab.training.module import GANModule
from ganlab.training.regularizer_set import register_modules

_DISCRIMINATOR_VIEWS = frozenset(
    {"real_images", "fake_images", "real_logits", "fake_logits", "labels", "random", "discriminate", "discriminator"}
)
_GENERATOR_VIEWS = frozenset(
    {"real_images", "latents", "fake_images", "fake_logits", "labels", "random", "discriminate", "generate"}
    | {"generator"}
)


class TwoPlayerGAN(GANModule):
    """Latents to images, images to logits.

    The generator is called with latents (N, `generator.latent_size`) and labels (N,) or None, the discriminator with
    images and labels, and returns logits (N,). Fakes get the labels of the reals beside them.
    """

    provides: ClassVar[Mapping[str, frozenset[str]]] = {
        "discriminator": _DISCRIMINATOR_VIEWS,
        "generator": _GENERATOR_VIEWS,
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        loss: Loss,
        regularizers: Sequence[WeightedRegularizer] = (),
        augmentation: Augmentation | None = None,
        discriminator_steps: Count = 1,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.loss = loss
        self.regularizers = register_modules(self, regularizers)
        self.augmentation = augmentation
        self.discriminator_steps = discriminator_steps

    def discriminator_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Tell reals from fakes that are made without a graph of the generator."""
        with torch.no_grad():
            fakes = self.generate(self.draw_latents(batch.random), batch.labels)
        real_logits = self.discriminate(batch.images, batch.labels, batch.random.scoped("real"))
        fake_logits = self.discriminate(fakes, batch.labels, batch.random.scoped("fake"))
        self._observe(real_logits, fake_logits)
        views = self._views(batch, fakes, real_images=batch.images, real_logits=real_logits, fake_logits=fake_logits)
        return {"loss": self.loss.discriminator(real_logits, fake_logits), **self.penalties("discriminator", views)}

    def generator_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Make fakes that the discriminator takes for real."""
        latents = self.draw_latents(batch.random)
        fakes = self.generate(latents, batch.labels)
        fake_logits = self.discriminate(fakes, batch.labels, batch.random.scoped("fake"))
        real_logits = None
        if getattr(self.loss, "needs_real_logits", False):
            with torch.no_grad():
                real_logits = self.discriminate(batch.images, batch.labels, batch.random.scoped("real"))
        views = self._views(batch, fakes, real_images=batch.images, latents=latents, fake_logits=fake_logits)
        return {"loss": self.loss.generator(real_logits, fake_logits), **self.penalties("generator", views)}

    def sample(
        self,
        random: Randomness,
        labels: Tensor | None = None,
        *,
        truncation: float | None = None,
        averaged: bool = True,
    ) -> Tensor:
        """Images from latents drawn as in training; this architecture has no truncation."""
        if truncation is not None:
            raise UserError(f"{type(self).__name__} has no truncation: leave it out")
        generator: Any = self.averaged_model("generator") if averaged else self.generator
        images: Tensor = generator(self.draw_latents(random), labels)
        return images

    def draw_latents(self, random: Randomness) -> Tensor:
        """Standard normal latents (N, latent_size); a family with another prior overrides this."""
        return random.normal("latents", self.generator.latent_size)

    def generate(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """Fakes in the reals' type, whatever the precision of the networks."""
        return self.generator(latents, labels).to(torch.get_default_dtype())

    def discriminate(self, images: Tensor, labels: Tensor | None, random: Randomness) -> Tensor:
        """Logits (N,) of images, augmented if there is an augmentation, for losses in full precision."""
        if self.augmentation is not None:
            images = self.augmentation(images, random)
        return self.discriminator(images, labels).to(torch.get_default_dtype())

    def _views(self, batch: Batch, fakes: Tensor, **more: Any) -> Views:
        random = batch.random.scoped("penalty")
        return Views(
            fake_images=fakes,
            labels=batch.labels,
            random=random,
            discriminate=lambda images: self.discriminate(images, batch.labels, random),
            generate=lambda latents: self.generate(latents, batch.labels),
            discriminator=self.discriminator,
            generator=self.generator,
            **more,
        )

    def _observe(self, real_logits: Tensor, fake_logits: Tensor) -> None:
        self.scalars.add("logits/real", real_logits.detach().mean())
        self.scalars.add("logits/fake", fake_logits.detach().mean())
        observe = getattr(self.augmentation, "observe", None)
        if observe is not None:
            observe(real_logits.detach())
