"""The plain game of one generator and one discriminator, which most families share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Gt, Le
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
from ganlab.games.freezing import freeze
from ganlab.nn.last_features import last_features
from ganlab.randomness import Randomness
from ganlab.schedules import Scheduled
from ganlab.spec.model import Count, Natural
from ganlab.training.module import GANModule
from ganlab.training.regularizer_set import register_modules

_GENERATOR_VIEWS = frozenset(
    {"real_images", "fake_images", "fake_logits", "latents", "labels", "random", "discriminator", "generator"}
    | {"discriminate", "features", "generate", "draw_latents"}
)
_DISCRIMINATOR_VIEWS = _GENERATOR_VIEWS | {"real_logits"}


class TwoPlayerGAN(GANModule):
    """Latents to images, images to logits.

    The generator is called with latents (N, `generator.latent_size`) and labels (N,) or None, the discriminator with
    images and labels, and returns logits (N,). Fakes get the labels of the reals beside them.

    Args:
        generator: latents to images.
        discriminator: images to logits.
        loss: what the players minimise.
        regularizers: penalties that join a player's terms, and constraints.
        augmentation: applied to whatever the discriminator sees.
        discriminator_steps: updates of the discriminator, each on fresh reals, for one of the generator.
        top_k: share of the fakes, those that look most real, that the generator's loss is about (Sinha et al., 2020);
            taken of each device's part of a batch, or of each micro-batch.
        freeze_d: the discriminator's first layers that are not trained, as a number, or names of its modules
            (Mo et al., 2020).
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
        top_k: Annotated[Scheduled, Gt(0), Le(1)] = 1.0,
        freeze_d: Natural | Sequence[str] = 0,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.loss = loss
        self.regularizers = register_modules(self, regularizers)
        self.augmentation = augmentation
        self.discriminator_steps = discriminator_steps
        self.top_k = top_k
        freeze(self.discriminator, freeze_d, "freeze_d")  # type: ignore[arg-type]

    def discriminator_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Tell reals from fakes that are made without a graph of the generator."""
        latents = self.draw_latents(batch.random)
        with torch.no_grad():
            fakes = self.generate(latents, batch.labels)
        real_logits = self.discriminate(batch.images, batch.labels, batch.random.scoped("real"))
        fake_logits = self.discriminate(fakes, batch.labels, batch.random.scoped("fake"))
        views = self._views(batch, latents, fakes, real_logits=real_logits, fake_logits=fake_logits)
        loss = self.loss.discriminator(real_logits, fake_logits)
        terms = {"loss": loss, **self.penalties("discriminator", views)}
        self._observe(real_logits, fake_logits)  # last, as what it changes must hold for all parts of a batch alike
        return terms

    def generator_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Make fakes that the discriminator takes for real."""
        latents = self.draw_latents(batch.random)
        fakes = self.generate(latents, batch.labels)
        fake_logits = self.discriminate(fakes, batch.labels, batch.random.scoped("fake"))
        real_logits = None
        if getattr(self.loss, "needs_real_logits", False):
            with torch.no_grad():
                real_logits = self.discriminate(batch.images, batch.labels, batch.random.scoped("real"))
        views = self._views(batch, latents, fakes, fake_logits=fake_logits)
        loss = self.loss.generator(*best_fakes(real_logits, fake_logits, self.top_k))
        return {"loss": loss, **self.penalties("generator", views)}

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

    def features(self, images: Tensor, labels: Tensor | None, random: Randomness) -> Tensor:
        """What the discriminator's last layer sees, (N, ...), of images augmented as for `discriminate`."""
        seen = last_features(self.discriminator, lambda: self.discriminate(images, labels, random))  # type: ignore[arg-type]
        return seen.to(torch.get_default_dtype())

    def _views(self, batch: Batch, latents: Tensor, fakes: Tensor, **more: Any) -> Views:
        random = batch.random.scoped("penalty")
        return Views(
            real_images=batch.images,
            fake_images=fakes,
            latents=latents,
            labels=batch.labels,
            random=random,
            discriminate=lambda images, labels=batch.labels: self.discriminate(images, labels, random),
            features=lambda images, labels=batch.labels: self.features(images, labels, random),
            generate=lambda latents, labels=batch.labels: self.generate(latents, labels),
            draw_latents=self.draw_latents,
            discriminator=self.discriminator,
            generator=self.generator,
            **more,
        )

    def _observe(self, real_logits: Tensor, fake_logits: Tensor) -> None:
        self.scalars.add("logits/real", real_logits.detach().mean())
        self.scalars.add("logits/fake", fake_logits.detach().mean())
        observe = getattr(self.augmentation, "observe", None)
        for name, value in ((observe and observe(real_logits.detach())) or {}).items():
            self.scalars.add(f"augmentation/{name}", value)


def best_fakes(real_logits: Tensor | None, fake_logits: Tensor, share: float) -> tuple[Tensor | None, Tensor]:
    """Top-k training: the logits (N, ...) of the `share` of fakes that look most real, and of the reals beside them.

    At least one fake is left. Logits of several places in an image are averaged to compare fakes. The best are those
    of this part of a batch (a device's, or a micro-batch's), each of which thus keeps the same share.
    """
    if share >= 1:
        return real_logits, fake_logits
    scores = fake_logits.detach().flatten(1).mean(1) if fake_logits.dim() > 1 else fake_logits.detach()
    best = scores.topk(max(1, round(share * len(scores)))).indices
    return None if real_logits is None else real_logits[best], fake_logits[best]
