"""The game on one picture: a scale after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor
from torch.nn.functional import mse_loss

from ganlab import Batch, DataFacts, Factory, Latents, Randomness, UserError, WeightedRegularizer
from ganlab.bounds import Depth, Positive, Steps
from ganlab.contracts import Augmentation, Discriminator, Generator, Loss, Views
from ganlab.data.step_batch import StepBatch
from ganlab.distributed import mean_over_ranks
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.schedules import Scheduled
from ganlab.training.module import Terms
from ganlab.views import Scores
from ganlab_singan.animation import Walk
from ganlab_singan.pyramid import DiscriminatorPyramid, GeneratorPyramid, enlarged
from ganlab_singan.requests import Colours, Request, Share, SizeOption, Task
from ganlab_singan.scales import Plan, sizes_of

_COMPARED = 24  # rounds in which a picture that is mirrored by chance is noticed


class SinGAN(TwoPlayerGAN):
    """Learns from one picture: a pair of small networks for each size of it, trained one after the other.

    Each generator adds details to what the scales before it have made; their patches are judged by a discriminator of
    their own (Shaham et al., 2019). Scales are counted from the coarsest, 0, while the paper counts from the finest. A
    scale starts with the weights of the one before, where they have the same widths, with optimizers that know nothing,
    and with noise as strong as the error of the reconstruction so far; what was trained before stays as it is. All of
    it is a function of the images seen. Every round is a real image for each update of the discriminator, so that the
    published 2,000 rounds with three updates are 6 thousand images. `data.flip` is refused: the reconstruction of a
    picture cannot be its mirror image, too.

    Args:
        generator: noise and an image to an image of this size; built for each scale.
        discriminator: images to logits of patches; built for each scale.
        loss: what the players of each scale minimise; published is `wasserstein`.
        facts: Facts of the data.
        regularizers: penalties; published is `gradient_penalty` with `per_pixel` and the weight 0.1.
        augmentation: applied to whatever the discriminators see.
        discriminator_steps: updates of the discriminator in a round.
        generator_steps: updates of the generator in a round.
        coarsest: pixels of the smaller side at the coarsest scale.
        factor: from the size of a scale to the one before, about: as near as the ends allow.
        scales: how many there are; null for as many as bring the factor nearest.
        scale_kimg: length of the training of each scale in thousands of images.
        reconstruction: weight of the mean squared difference between the picture and what the fixed noise becomes.
        noise: what the amplitude of a scale's noise is, as a share of the reconstruction's root mean squared error
            before it; it is 1 at the coarsest.
        decay: what learning rates are multiplied with towards the end of each scale.
        decay_at: when, as a share of the scale's length.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "singan", "width": 4, "layers": 3, "normalizer": "none"},
        "discriminator": {"name": "singan", "width": 4, "layers": 3, "normalizer": "none"},
        "loss": "wasserstein",
        "discriminator_steps": 1,
        "generator_steps": 1,
        "coarsest": 8,
        "scale_kimg": 0.04,
    }
    example_facts: ClassVar[DataFacts] = DataFacts((3, 12, 16), 1, "example")

    def __init__(
        self,
        generator: Factory[Generator],
        discriminator: Factory[Discriminator],
        loss: Loss,
        facts: DataFacts,
        regularizers: Sequence[WeightedRegularizer] = (),
        augmentation: Augmentation | None = None,
        discriminator_steps: Steps = 3,
        generator_steps: Steps = 3,
        coarsest: Annotated[int, Ge(4), Le(4096)] = 25,
        factor: Annotated[float, Ge(0.1), Le(0.98)] = 0.75,
        scales: Depth | None = None,
        scale_kimg: Positive = 6.0,
        reconstruction: Annotated[Scheduled, Ge(0)] = 10.0,
        noise: Annotated[float, Ge(0)] = 0.1,
        decay: Positive = 0.1,
        decay_at: Annotated[float, Gt(0), Le(1)] = 0.8,
    ) -> None:
        _check(facts)
        channels, height, width = facts.shape
        sizes = sizes_of((height, width), coarsest, factor, scales)
        places = range(len(sizes))
        super().__init__(
            GeneratorPyramid([generator(scale=place) for place in places], sizes, channels),  # type: ignore[arg-type,misc]
            DiscriminatorPyramid([discriminator(scale=place) for place in places]),  # type: ignore[misc]
            loss,
            regularizers=regularizers,
            augmentation=augmentation,
            discriminator_steps=discriminator_steps,
            generator_steps=generator_steps,
        )
        self.sizes = sizes
        self.plan = Plan(len(sizes), max(1, round(1000 * scale_kimg)), decay_at, decay)
        self.reconstruction = reconstruction
        self.noise = noise
        self._to_compare = _COMPARED
        self._picture: Tensor | None = None

    # ---------------------------------------------------------------- when

    @property
    def scale(self) -> int:
        """The scale of the current step."""
        return self.plan.scale(self.clock.images_seen)

    @property
    def trained(self) -> int:
        """The last scale that a step has trained: that of samples."""
        return self.plan.scale(self.clock.before_step)

    def moments(self, images: int) -> Sequence[int]:
        """The start, and the beginnings of the second and the last scale: between these the same happens."""
        begins = [self.plan.begins(scale) for scale in range(self.plan.scales)]
        moments = [moment for moment in begins if moment < images]
        return sorted({*moments[:2], *moments[-1:]})

    def scalars_now(self) -> Mapping[str, float]:
        """The scale of the last step, its height and width, and how many of its rounds have been played."""
        seen, scale = self.clock.before_step, self.trained
        round_size = self.settings.batch_size * self.discriminator_steps
        height, width = self.sizes[scale]
        rounds = (seen - self.plan.begins(scale)) // round_size + (self.clock.images_seen > 0)
        return {"scale/number": scale, "scale/height": height, "scale/width": width, "scale/rounds": rounds}

    def remark(self, images: int) -> str | None:
        """Whether the training ends before the last scale has had its time."""
        if images >= self.plan.complete_at:
            return None
        return (
            f"the training ends at {images / 1000:g} kimg, in scale {self.plan.scale(images)} of 0 to "
            f"{self.plan.scales - 1}, and all of them take {self.plan.complete_at / 1000:g}: raise 'kimg', or lower "
            "'architecture.scale_kimg' or the number of scales"
        )

    def play(self, batches: Sequence[Batch]) -> None:
        """One round of the networks of one scale, with its learning rates."""
        self.generator.rest(self.scale)  # type: ignore[attr-defined]
        rate = self.plan.rate(self.clock.images_seen)
        for player, optimizer in self.player_optimizers.items():
            scheduled = "lr" in self.settings.optimizers[player].schedules  # set for this step already
            for group in optimizer.param_groups:
                group["lr"] = rate * (group["lr"] if scheduled else optimizer.defaults["lr"])
        super().play(batches)

    def training_step(self, step: StepBatch, batch_idx: int) -> None:
        """One round; at its end, before a checkpoint, the next scale begins if it is time to."""
        self._check_still(step.images)
        before = self.scale
        super().training_step(step, batch_idx)
        if self.scale > before:
            self._begin(self.scale, step.scaled(self.facts).images)

    def _check_still(self, images: Tensor) -> None:
        """Raise `UserError` if the picture is another one than before, which shows in few rounds if it does."""
        if not self._to_compare:
            return
        self._to_compare -= 1
        self._picture = images[:1] if self._picture is None else self._picture
        if not torch.equal(images, self._picture.expand_as(images)):
            raise UserError(
                "the picture is mirrored or moved from one step to the next, and singan rebuilds one picture: leave "
                "'data.flip' and 'data.jitter' out"
            )

    @torch.no_grad()
    def _begin(self, scale: int, images: Tensor) -> None:
        amplitude = self._amplitude(scale, images)
        for pyramid in (self.generator, self.averaged_model("generator")):
            pyramid.begin(scale, amplitude)  # type: ignore[operator]
        self.discriminator.begin(scale)  # type: ignore[attr-defined]
        for optimizer in self.player_optimizers.values():
            optimizer.state.clear()

    def _amplitude(self, scale: int, images: Tensor) -> Tensor:
        pyramid = self.generator
        pyramid.rest(scale)  # type: ignore[attr-defined]
        reached = enlarged(pyramid.reconstruction(scale - 1), self.sizes[scale])  # type: ignore[attr-defined]
        wanted = enlarged(images[:1], self.sizes[scale])
        return self.noise * mean_over_ranks(mse_loss(reached, wanted)).sqrt()

    # ---------------------------------------------------------------- the game at one scale

    def at_scale(self, batch: Batch) -> Batch:
        """The batch with its images in the size of the scale."""
        return replace(batch, images=enlarged(batch.images, self.sizes[self.scale]))

    def discriminator_terms(self, batch: Batch) -> Terms:
        """The plain terms at the current scale."""
        return super().discriminator_terms(self.at_scale(batch))

    def generator_terms(self, batch: Batch) -> Terms:
        """The plain terms at the current scale, and the reconstruction."""
        return super().generator_terms(self.at_scale(batch))

    def real_logits(self, batch: Batch) -> Tensor | None:
        """Of reals at the current scale."""
        return super().real_logits(self.at_scale(batch))

    def more_terms(self, player: str, batch: Batch, views: Views) -> Terms:
        """How far the picture is from what the fixed noise becomes, for the generator."""
        if player != "generator":
            return {}
        again = self.generator.reconstruction(self.scale)  # type: ignore[attr-defined]
        difference = (again - views.real_images).square().mean()
        self.scalars.add("reconstruction/error", difference.detach().sqrt())
        return {"reconstruction": self.reconstruction * difference}

    def draw_latents(self, random: Randomness) -> Tensor:
        """The noise of all scales up to the current one in one vector, the coarsest first."""
        return self._draw(random, self.scale)

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Images of the current scale."""
        images: Tensor = generator(generator.noise_of(latents, self.scale + 1))
        return images

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        """What the current scale's discriminator says."""
        return self.discriminator(images, self.scale)

    def _draw(self, random: Randomness, scale: int) -> Tensor:
        shapes = self.generator.noise_shapes(scale + 1)  # type: ignore[attr-defined]
        return torch.cat([random.normal(f"noise {place}", *shape).flatten(1) for place, shape in enumerate(shapes)], 1)

    # ---------------------------------------------------------------- samples

    def made_from(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """All tasks but `samples` are about a picture that is given."""
        return () if options.get("task", "samples") == "samples" else ("images",)

    def draw(
        self, random: Randomness, labels: Tensor | None = None, inputs: Mapping[str, Tensor] | None = None
    ) -> Latents:
        """The noise of all scales that have been trained, in the sizes of the training."""
        return Latents(values=self._draw(random, self.trained), inputs=inputs or {}, random=random)

    def render(
        self,
        latents: Latents,
        *,
        task: Task = "samples",
        start: Annotated[int, Ge(0)] | None = None,
        size: SizeOption | None = None,
        factor: Annotated[float, Gt(1), Le(16)] = 4.0,
        feather: Annotated[float, Ge(0), Le(100)] = 2.0,
        colours: Colours | None = None,
        averaged: bool = True,
    ) -> Tensor:
        """Samples in any size, or what the networks make of a picture that is given.

        Args:
            latents: as `draw` makes them.
            averaged: use the averaged weights.
            task: `samples` of noise; or, of a picture (`--inputs '{name: photograph, path: ...}'`; without it the one
                of the training): `paint` takes its layout and colours and gives it the training's look, `edit` and
                `harmonise` do so where its `mask` is white and leave the rest alone, `super_resolution` adds details.
            start: scale, from the coarsest 0, at which noise, or the given picture, enters: the later, the more stays.
                Samples have the reconstruction's layout below it. Null is 0 for samples, 1 for `paint`, half of the
                scales for `edit` and three quarters for `harmonise`; `super_resolution` uses the last scale alone.
            size: height and width of the samples, as in `size=[120, 400]`; null for that of the training, or for a
                given picture one of its proportions whose larger side is the training's. Not for `super_resolution`,
                whose size follows.
            factor: how many times larger `super_resolution` makes a picture.
            feather: pixels over which the mask's border is blurred, as a standard deviation.
            colours: how many colours a painting is reduced to, those of the reconstruction at the scale before `start`
                by k-means, as in the paper's supplementary; null leaves its own. Only for `paint`.
        """
        request = Request(task, start, size, factor, feather, self.trained, self.sizes, colours)
        pyramid: GeneratorPyramid = self.network("generator", averaged)
        return request.answer(pyramid, latents)

    def animate(
        self,
        random: Randomness,
        frames: int,
        *,
        start: Annotated[int, Ge(0)] = 0,
        size: SizeOption | None = None,
        stay: Share = 0.1,
        smoothness: Share = 0.9,
        averaged: bool = True,
    ) -> Tensor:
        """Sequences (N, frames, C, H, W): random walks through the noise, around the reconstruction.

        Args:
            random: Random numbers, one row for each sequence.
            frames: how many.
            averaged: use the averaged weights.
            start: first scale, from the coarsest, whose noise moves; those before it make the reconstruction.
            size: height and width of the frames; null for that of the training.
            stay: the paper's alpha, how near to the reconstruction the walk stays: at 1 nothing moves.
            smoothness: the paper's beta, how much of its last step a walk goes on with.
        """
        walk = Walk(start, size, stay, smoothness, self.trained, self.sizes)
        pyramid: GeneratorPyramid = self.network("generator", averaged)
        return torch.stack([walk(pyramid, random.slice(row, 1), frames) for row in range(len(random))])


def _check(facts: DataFacts) -> None:
    if len(facts.shape) != 3:
        raise UserError(f"singan learns from a picture (channels, height, width), not from {tuple(facts.shape)}")
    if facts.size != 1:
        raise UserError(
            f"singan learns from one picture, and these data are {facts.size:,}: take the data set 'photograph', or a "
            "folder that holds one"
        )
    if facts.inputs:
        raise UserError(
            f"singan learns from a picture alone, and these data have {', '.join(facts.inputs)} with it, which would "
            "be ignored: leave it out of the training"
        )
