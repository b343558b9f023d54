"""The two-player game of networks that grow with the images seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor
from torch.nn.functional import interpolate

from ganlab.bounds import Count
from ganlab.contracts import Batch, Discriminator, Generator
from ganlab.data.reduction import reduce_images
from ganlab.data.step_batch import StepBatch
from ganlab.errors import UserError
from ganlab.games.growth import Growth, Rates, Stage, fixed, plan
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.suggestions import did_you_mean
from ganlab.training.module import Terms
from ganlab.views import Latents, Scores

Kimg = Annotated[float, Ge(0)]
Rate = Annotated[float, Gt(0)]


class GrowingGAN(TwoPlayerGAN):
    """The plain game on small images first, then on ever larger ones, each size faded in (Karras et al., 2018).

    Networks are called with a `Stage` after the labels, run only the layers that it needs, and take and return images
    of its resolution, which is that of their larger side where they are not square. Reals are reduced and faded alike;
    samples are enlarged to the data's resolution. Everything is a function of the images seen, so that resuming needs
    no state.

    Args:
        generator: called with latents, labels and stage.
        discriminator: called with images, labels and stage.
        shape: Shape of an image.
        growth: fade one resolution after the other in; `none` trains the full networks from the start.
        start_resolution: Resolution of the first stage; the data's is this one doubled some times.
        fade_kimg: length of each fade in thousands of images, or of that to each resolution.
        stabilise_kimg: the same for the time after the fade (at the first resolution, from the start).
        batch_sizes: total batch size from the fade to a resolution until the next fade; where there is no entry,
            `data.batch_size`.
        learning_rates: the same for the learning rate, one for all players or one for each of them by its name; where
            there is no entry, the optimizers' own.
        reset_optimizers: let optimizers forget their averages whenever layers join or leave.
    """

    compiles: ClassVar[bool] = False  # every step of a fade would be compiled anew

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        shape: tuple[int, ...],
        growth: Literal["fade", "none"] = "fade",
        start_resolution: Annotated[int, Ge(4)] = 4,
        fade_kimg: Kimg | Mapping[int, Kimg] = 800.0,
        stabilise_kimg: Kimg | Mapping[int, Kimg] = 800.0,
        batch_sizes: Mapping[int, Count] | None = None,
        learning_rates: Mapping[int, Rate | Mapping[str, Rate]] | None = None,
        reset_optimizers: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        if len(shape) != 3:
            raise UserError(f"growth is for images (channels, height, width), not for {tuple(shape)}")
        self.resolution = resolution = max(shape[1:])
        self.reset_optimizers = reset_optimizers
        sizes, rates = batch_sizes or {}, learning_rates or {}
        _check_players(rates, self.player_names)
        self.growth: Growth = (
            fixed(resolution, sizes, rates)
            if growth == "none"
            else plan(start_resolution, resolution, fade_kimg, stabilise_kimg, sizes, rates)
        )
        _check_sides(*shape[1:], self.growth.resolutions[0])

    @property
    def stage(self) -> Stage:
        """The stage of the current step."""
        return self.growth.stage(self.clock.images_seen)

    def step_size(self, images_seen: int) -> tuple[int, int]:
        """The stage's batch size, and the discriminator's updates."""
        batch_size, updates = super().step_size(images_seen)
        return self.growth.stage(images_seen).batch_size or batch_size, updates

    def step_resolution(self, images_seen: int) -> int | None:
        """The stage's resolution: nothing finer leaves the data's files and processes."""
        return self.growth.stage(images_seen).resolution

    def batch_sizes(self, batch_size: int) -> dict[str, int]:
        """Those of all stages."""
        own = {f"architecture.batch_sizes.{r}": n for r, n in self.growth.batch_sizes.items() if r <= self.resolution}
        return {**super().batch_sizes(batch_size), **own}

    def moments(self, images: int) -> Sequence[int]:
        """The start, and the first and last time that layers join or leave; between these the same happens."""
        moments = [0, *(moment for moment in self.growth.changes if 0 < moment < images)]
        return sorted({*moments[:2], *moments[-2:]})

    def scalars_now(self) -> Mapping[str, float]:
        """Stage (the number of its resolution, from 0), resolution and blend."""
        stage = self.growth.stage(self.clock.before_step)
        number = self.growth.resolutions.index(stage.resolution)
        return {"growth/stage": number, "growth/resolution": stage.resolution, "growth/blend": stage.blend}

    def remark(self, images: int) -> str | None:
        """Whether the training ends before the last resolution is faded in."""
        if images >= self.growth.complete_at:
            return None
        reached = self.growth.stage(images).resolution
        return (
            f"the training ends at {images / 1000:g} kimg, at {reached} pixels, and the growth to {self.resolution} "
            f"takes {self.growth.complete_at / 1000:g}: raise 'kimg', or shorten 'architecture.fade_kimg' and "
            "'architecture.stabilise_kimg'"
        )

    def discriminator_terms(self, batch: Batch) -> Terms:
        """The plain terms at the current stage."""
        return super().discriminator_terms(self.at_stage(batch))

    def generator_terms(self, batch: Batch) -> Terms:
        """The plain terms at the current stage."""
        return super().generator_terms(self.at_stage(batch))

    def real_logits(self, batch: Batch) -> Tensor | None:
        """Of reals at the current stage."""
        return super().real_logits(self.at_stage(batch))

    def at_stage(self, batch: Batch) -> Batch:
        """The batch with its images at the stage's resolution, faded as the fakes are."""
        return replace(batch, images=fade_images(batch.images, self.stage))

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Images of the stage's resolution."""
        images: Tensor = generator(latents, labels, self.stage)
        return images

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        """The discriminator's answer about images of the stage's resolution."""
        return self.discriminator(images, labels, self.stage)

    def render(self, latents: Latents, *, averaged: bool = True) -> Tensor:
        """Samples of the current stage, enlarged to the data's resolution by repeating pixels."""
        return enlarge(super().render(latents, averaged=averaged), self.resolution)

    def play(self, batches: Sequence[Batch]) -> None:
        """One round with the stage's learning rates."""
        stage = self.stage
        for player, optimizer in self.player_optimizers.items():
            rate = stage.rate_of(player)
            if rate is None and "lr" in self.settings.optimizers[player].schedules:
                continue  # set for this step already
            for group in optimizer.param_groups:
                group["lr"] = optimizer.defaults["lr"] if rate is None else rate
        super().play(batches)

    def training_step(self, step: StepBatch, batch_idx: int) -> None:
        """One round; optimizers forget at its end, before a checkpoint, if the next step trains other layers."""
        super().training_step(step, batch_idx)
        before = self.growth.stage(self.clock.before_step)
        if self.reset_optimizers and not before.uses_layers_of(self.stage):
            for optimizer in self.player_optimizers.values():
                optimizer.state.clear()


def _check_players(rates: Rates, players: Sequence[str]) -> None:
    for resolution, rate in rates.items():
        strange = [name for name in rate if name not in players] if isinstance(rate, Mapping) else []
        if strange:
            raise UserError(
                f"'learning_rates' has an entry for '{strange[0]}' at {resolution}, who is no player of this game; its "
                f"players are {', '.join(players)}{did_you_mean(strange[0], players)}"
            )


def _check_sides(height: int, width: int, start: int) -> None:
    factor = max(height, width) // start
    if height % factor or width % factor:
        raise UserError(
            f"images of {height} x {width} pixels cannot be {factor} times smaller, which their larger side would be "
            f"with 'start_resolution' {start}: choose a larger one, or 'growth: none'"
        )


def enlarge(images: Tensor, resolution: int) -> Tensor:
    """Images whose larger side has a higher resolution: pixels repeated."""
    height, width = images.shape[-2:]
    factor = resolution // max(height, width)
    return images if factor == 1 else interpolate(images, size=(factor * height, factor * width), mode="nearest")


def fade_images(images: Tensor, stage: Stage) -> Tensor:
    """Images at the stage's resolution; during a fade their finest details are only as strong as `blend`."""
    images = reduce_images(images, stage.resolution)
    if not stage.fading:
        return images
    coarse = enlarge(reduce_images(images, stage.resolution // 2), stage.resolution)
    return torch.lerp(coarse, images, stage.blend)
