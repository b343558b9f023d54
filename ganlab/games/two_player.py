"""The plain game of one generator and one discriminator, which most families share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any, ClassVar, get_type_hints

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from ganlab.bounds import Natural, Steps
from ganlab.contracts import (
    Augmentation,
    Batch,
    Discriminator,
    Generator,
    LatentWrapper,
    Loss,
    WeightedRegularizer,
)
from ganlab.games.classification import accuracy, classified, cross_entropies
from ganlab.games.fake_labels import FakeLabels, labels_of_fakes
from ganlab.games.freezing import freeze
from ganlab.games.passes import Passes
from ganlab.nn.autocast import is_autocast
from ganlab.randomness import Randomness, layer_draws
from ganlab.schedules import Scheduled
from ganlab.training.module import GANModule, Terms
from ganlab.views import (
    GAME_VIEWS,
    GRADIENT_VIEWS,
    Fakes,
    Latents,
    Scores,
    Views,
    as_scores,
    full_precision,
    further_views,
)


class TwoPlayerGAN(GANModule):
    """Latents to images, images to logits.

    The generator is called with latents (N, `generator.latent_size`) and labels (N,) or None, the discriminator with
    images and labels, and returns logits (N,) or `Scores`. A family overrides `fakes`, the one place where fakes are
    made, `judge`, the one place where images are judged, or the calls of the networks, `run_generator` and
    `run_discriminator`; it adds terms in `more_terms`.

    Args:
        generator: latents to images.
        discriminator: images to logits.
        loss: what the players minimise; where images are judged at several scales, the mean over these.
        regularizers: penalties that join a player's terms, and constraints.
        augmentation: applied to whatever the discriminator sees.
        discriminator_steps: updates of the discriminator in a round, each on fresh reals.
        top_k: share of the fakes, those that look most real, that the generator's loss is about (Sinha et al., 2020);
            taken of each device's part of a batch, or of each micro-batch.
        freeze_d: the discriminator's first layers that are not trained, as a number, or names of its modules
            (Mo et al., 2020).
        generator_steps: updates of the generator in a round.
        wrappers: what is done to latents before fakes are made of them in training, the first one first.
        fake_labels: fakes get the labels of the `reals` beside them, or labels of their own, drawn `uniform`ly or by
            the `frequencies` of the classes in the data.
        classification: weight of the auxiliary classifier's cross-entropy in both players' terms, where the
            discriminator has such a classifier (Odena et al., 2017): on reals and fakes for the discriminator.
        generator_classification: its weight in the generator's terms; null for the same.
    """

    provides: ClassVar[Mapping[str, frozenset[str]]] = {
        "discriminator": GAME_VIEWS,
        "generator": GAME_VIEWS - GRADIENT_VIEWS,
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        loss: Loss,
        regularizers: Sequence[WeightedRegularizer] = (),
        augmentation: Augmentation | None = None,
        discriminator_steps: Steps = 1,
        top_k: Annotated[Scheduled, Gt(0), Le(1)] = 1.0,
        freeze_d: Natural | Sequence[str] = 0,
        generator_steps: Steps = 1,
        wrappers: Sequence[LatentWrapper] = (),
        fake_labels: FakeLabels = "reals",
        classification: Annotated[Scheduled, Ge(0)] = 1.0,
        generator_classification: Annotated[Scheduled, Ge(0)] | None = None,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.loss = loss
        self.regularizers = regularizers
        self.augmentation = augmentation
        self.wrappers = self.keep_modules("wrapper_modules", wrappers)
        self.fake_labels = fake_labels
        self.discriminator_steps = discriminator_steps
        self.generator_steps = generator_steps
        self.top_k = top_k
        self.classification = classification
        self.generator_classification = generator_classification
        freeze(self.discriminator, freeze_d, "freeze_d")  # type: ignore[arg-type]

    def __init_subclass__(cls, **options: Any) -> None:
        """Derive the views that a family provides from what its `fakes` is annotated to return."""
        super().__init_subclass__(**options)
        if "fakes" in vars(cls) and "provides" not in vars(cls):
            further = further_views(get_type_hints(cls.fakes).get("return", Fakes))
            cls.provides = {player: views | further for player, views in TwoPlayerGAN.provides.items()}

    # ---------------------------------------------------------------- what a family may change

    def fakes(self, batch: Batch) -> Fakes:
        """Make fakes for a batch, by the generator as it is now; for the discriminator's update without a graph."""
        labels = self.labels_of_fakes(batch)

        def make(latents: Tensor) -> Fakes:
            return Fakes(
                images=self.generate(latents, labels, batch.random, batch.inputs),
                latents=latents,
                labels=labels,
                inputs=batch.inputs,
            )

        return self.wrapped(make, self.draw_latents(batch.random), batch)

    def judge(
        self, images: Tensor, labels: Tensor | None, random: Randomness, inputs: Mapping[str, Tensor] | None = None
    ) -> Scores:
        """What the discriminator says of images with what belongs to them, augmented if there is an augmentation."""
        if self.augmentation is not None:
            images = self.augmentation(images, random)
        with layer_draws(random.scoped("layers")):
            return as_scores(self.run_discriminator(images, labels, inputs or {}))

    def more_terms(self, player: str, batch: Batch, views: Views) -> Terms:
        """Further terms of a player, from the fakes and scores that its loss is about."""
        return {}

    def show_batch(self, batch: Batch) -> None:
        """The fakes of the whole batch; wrappers that need gradients would need its graph, and are left out."""
        if not any(getattr(wrapper, "differentiates", False) for wrapper in self.wrappers):
            self.fakes(batch)

    def draw_latents(self, random: Randomness) -> Tensor:
        """Standard normal latents (N, latent_size); a family with another prior overrides this."""
        return random.normal("latents", self.generator.latent_size)

    def labels_of_fakes(self, batch: Batch) -> Tensor | None:
        """The reals' labels, or labels of their own as `fake_labels` says."""
        if batch.labels is None:
            return None
        return labels_of_fakes(self.fake_labels, batch.labels, self.facts, batch.random)

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Images of a generator, the one that is trained or its average, made for the inputs, if there are any."""
        images: Tensor = generator(latents, labels)
        return images

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        """The discriminator's answer about images as it sees them."""
        return self.discriminator(images, labels)

    @property
    def blends_labels(self) -> bool:
        """As the generator says."""
        return getattr(self.generator, "blends_labels", False)

    # ---------------------------------------------------------------- the game

    def discriminator_terms(self, batch: Batch) -> Terms:
        """Tell reals from fakes."""
        with torch.set_grad_enabled(any(getattr(wrapper, "differentiates", False) for wrapper in self.wrappers)):
            fakes = self._made(batch)
        views = self.views("discriminator", batch, fakes)
        loss = self._mean_over_scales(self.loss.discriminator, views.real_scores, views.fake_scores)
        penalties = self.penalties("discriminator", views)
        further = {**self._classification("discriminator", views), **self.more_terms("discriminator", batch, views)}
        terms = {"loss": loss, **fakes.terms, **penalties, **further}
        self._observe(views.real_logits, views.fake_logits)  # last: what it changes must hold for all parts alike
        return terms

    def generator_terms(self, batch: Batch) -> Terms:
        """Make fakes that the discriminator takes for real."""
        fakes = self._made(batch)
        views = self.views("generator", batch, fakes)
        reals = views.real_scores if getattr(self.loss, "needs_real_logits", False) else None
        loss = self._mean_over_scales(self._generator_loss, reals, views.fake_scores)
        penalties = self.penalties("generator", views)
        further = {**self._classification("generator", views), **self.more_terms("generator", batch, views)}
        return {"loss": loss, **fakes.terms, **penalties, **further}

    def draw(
        self, random: Randomness, labels: Tensor | None = None, inputs: Mapping[str, Tensor] | None = None
    ) -> Latents:
        """Latents of samples, drawn as in training, with their labels and inputs."""
        return Latents(values=self.draw_latents(random), labels=labels, inputs=inputs or {}, random=random)

    def render(self, latents: Latents, *, averaged: bool = True) -> Tensor:
        """Images of latents; a family declares its sampling options as further keyword arguments."""
        generator = self.network("generator", averaged)
        return self.run_generator(generator, latents.values, latents.labels, latents.inputs)

    def generate(
        self,
        latents: Tensor,
        labels: Tensor | None,
        random: Randomness | None = None,
        inputs: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """Images of the generator that is trained; its layers draw their noise from `random`, if it is given."""
        with layer_draws(random.scoped("layers")) if random else nullcontext():
            return self.run_generator(self.generator, latents, labels, inputs or {})

    def wrapped(self, make: Callable[[Tensor], Fakes], latents: Tensor, batch: Batch) -> Fakes:
        """Fakes of latents, made by `make`, with all wrappers of the spec around it."""
        random = batch.random.scoped("wrappers")

        def judge(fakes: Fakes) -> Scores:
            return self.judge(fakes.images, fakes.labels, random, fakes.inputs)

        for index, wrapper in reversed(list(enumerate(self.wrappers))):
            make = partial(wrapper, make, judge=judge, random=random.scoped(index))
        return make(latents)

    def real_logits(self, batch: Batch) -> Tensor | None:
        """The discriminator's logits of reals, augmented as in training."""
        return self.judge(batch.images, batch.labels, batch.random, batch.inputs).logits

    def loss_of_ignorance(self) -> float | None:
        """The discriminator's loss where all logits are 0; None for a loss that has no least value, as a critic's."""
        nothing, loss = torch.zeros(2, device=self.device), copy.deepcopy(self.loss)  # which may keep what it sees
        return float(loss.discriminator(nothing, nothing)) or None

    # ---------------------------------------------------------------- inside

    def views(self, player: str, batch: Batch, fakes: Fakes) -> Views:
        """What a player offers to regularizers; passes are made when they are first asked for."""
        passes = Passes(self, player, batch, fakes)
        return Views(
            lazily=passes.offered(),
            real_images=batch.images,
            labels=batch.labels,
            inputs=batch.inputs,
            fake_images=fakes.images,
            fake_labels=fakes.labels,
            fake_inputs=fakes.inputs,
            latents=fakes.latents,
            random=passes.random,
            discriminate=passes.discriminate,
            # With the noise of the batch's fakes, so that images differ by their latents alone.
            generate=lambda latents, labels=fakes.labels, inputs=fakes.inputs: self.generate(
                latents, labels, batch.random, inputs
            ),
            draw_latents=self.draw_latents,
            discriminator=self.discriminator,
            generator=self.generator,
            **{name: getattr(fakes, name) for name in further_views(type(fakes))},
        )

    def _made(self, batch: Batch) -> Fakes:
        fakes = self.fakes(batch)
        return full_precision(fakes) if is_autocast(self.device) else fakes

    def _generator_loss(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return self.loss.generator(*best_fakes(real_logits, fake_logits, self.top_k))

    def _classification(self, player: str, views: Views) -> Terms:
        judged = classified(player, views)
        if not judged:
            return {}
        weight = self.classification
        if player == "generator" and self.generator_classification is not None:
            weight = self.generator_classification
        if player == "discriminator":
            for name, (scores, labels) in judged.items():
                self.scalars.add(f"accuracy/{name}", accuracy(scores, labels))
        return {"classification": weight * cross_entropies(judged)}

    def _mean_over_scales(self, loss: Callable[..., Tensor], reals: Scores | None, fakes: Scores) -> Tensor:
        real_scales = (None,) * len(fakes.scales) if reals is None else reals.scales
        losses = [loss(real, fake) for real, fake in zip(real_scales, fakes.scales, strict=True)]
        return losses[0] if len(losses) == 1 else torch.stack(losses).mean()

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
