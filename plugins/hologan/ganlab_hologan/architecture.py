"""The game of HoloGAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor

from ganlab import Batch, Latents, Randomness, Scheduled, TwoPlayerGAN, UserError, Views
from ganlab.bounds import Steps
from ganlab.contracts import Discriminator, Generator
from ganlab.randomness import layer_uniform
from ganlab_hologan.discriminator import LATENTS, STYLES
from ganlab_hologan.poses import Azimuth, Elevation, Part, PosedLatents, Poses, Scale, chosen


class HoloGAN(TwoPlayerGAN):
    """Images of a volume that is seen in random poses, which nobody has told of (Nguyen-Phuoc et al., 2019).

    The generator's volume is turned into a pose that is drawn beside the latents, so that it has to learn what looks
    right from everywhere. Published are two updates of the generator in a round. The identity term is the mean squared
    difference between latents and what the discriminator's head finds of them in the fakes; both players minimise it.
    The style terms are the loss of what judges the levels of the discriminator, summed over these (equation 4).

    Args:
        azimuth: lowest and highest angle around the vertical axis, in degrees, that poses are drawn from uniformly.
            The object's front turns to the right.
        elevation: the same above the horizon.
        scale: smallest and largest size, 1 being that of the volume.
        identity: weight of the identity term, for a discriminator with `latent_size`; the authors' code has 0.
        style: weight of the style terms, for a discriminator with `style`.
        latents: `uniform` in [-1, 1], as in the authors' code, or `normal`.
        generator_steps: updates of the generator in a round.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {
            "name": "hologan",
            "latent_size": 4,
            "volumes": [6, 4],
            "projection": 6,
            "maps": [4],
            "deviation": 0.2,
        },
        "discriminator": {"name": "hologan", "widths": [4, 6], "latent_size": 4, "latent_units": 4, "style": "joint"},
        "loss": "non_saturating",
        "identity": 0.1,
        "generator_steps": 1,
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        azimuth: tuple[Azimuth, Azimuth] = (-50.0, 50.0),
        elevation: tuple[Elevation, Elevation] = (-20.0, 20.0),
        scale: tuple[Scale, Scale] = (1.0, 1.0),
        identity: Annotated[Scheduled, Ge(0)] = 0.0,
        style: Annotated[Scheduled, Ge(0)] = 1.0,
        latents: Literal["normal", "uniform"] = "uniform",
        generator_steps: Steps = 2,
        **options: Any,
    ) -> None:
        if not getattr(generator, "takes_poses", False):
            raise UserError(
                f"{type(generator).__name__} has no volume that could be turned: take a generator that is called with "
                "latents, labels and poses and says 'takes_poses = True', such as 'hologan'"
            )
        super().__init__(generator, discriminator, generator_steps=generator_steps, **options)
        self.poses = Poses(azimuth, elevation, scale)
        self.identity = identity
        self.style = style
        self.latents = latents

    # ---------------------------------------------------------------- the game

    def draw_latents(self, random: Randomness) -> Tensor:
        """Latents (N, latent_size) without their poses."""
        size = self.generator.latent_size
        if self.latents == "normal":
            return random.normal("latents", size)
        return random.uniform("latents", size) * 2 - 1

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Images in poses that belong to the rows of the batch, as a layer's noise does."""
        images: Tensor = generator(latents, labels, self.poses.of(layer_uniform(latents, 3, purpose="poses")))
        return images

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        """What both players pay for latents that are not found again, and for the styles of the levels."""
        heads = views.fake_heads
        terms = {}
        if self.identity:
            terms["identity"] = self.identity * self._lost(heads, views.latents)
        if names := [name for name in heads if name.startswith(STYLES)]:
            terms["style"] = self.style * self._of_styles(player, names, views)
        return terms

    def _lost(self, heads: Mapping[str, Tensor], latents: Tensor) -> Tensor:
        if LATENTS not in heads:
            raise UserError(
                "the identity term needs a discriminator that finds latents again: set "
                f"'architecture.discriminator.latent_size' to {latents.shape[1]}, the generator's, or 'identity' to 0"
            )
        found = heads[LATENTS]
        if found.shape != latents.shape:
            raise UserError(
                f"the discriminator's latent_size is {found.shape[1]} and the generator's {latents.shape[1]}: the "
                "identity term compares the two, so give both the same"
            )
        return (found - latents).square().mean()

    def _of_styles(self, player: str, names: list[str], views: Views) -> Tensor:
        fakes = views.fake_heads
        losses: list[Tensor] = []
        if player == "discriminator":
            losses = [self.loss.discriminator(views.real_heads[name], fakes[name]) for name in names]
        else:
            reals = views.real_heads if getattr(self.loss, "needs_real_logits", False) else {}
            losses = [self.loss.generator(reals.get(name), fakes[name]) for name in names]
        return torch.stack(losses).sum()

    # ---------------------------------------------------------------- samples

    def draw(
        self, random: Randomness, labels: Tensor | None = None, inputs: Mapping[str, Tensor] | None = None
    ) -> PosedLatents:
        """Latents of samples, and their poses."""
        values, shares = self.draw_latents(random), random.uniform("poses", 3)
        return PosedLatents(
            values=values, labels=labels, inputs=inputs or {}, random=random, poses=self.poses.of(shares)
        )

    def render(
        self,
        latents: Latents,
        *,
        azimuth: Azimuth | None = None,
        elevation: Elevation | None = None,
        scale: Scale | None = None,
        averaged: bool = True,
    ) -> Tensor:
        """Images of latents in their poses, or in those that are asked for.

        Args:
            latents: as `draw` makes them.
            azimuth: angle around the vertical axis in degrees, of all samples; null for those that were drawn. The
                front turns to the right.
            elevation: angle above the horizon; null as before.
            scale: size, 1 being the volume's; null as before.
            averaged: use the averaged weights.
        """
        assert isinstance(latents, PosedLatents)
        poses = chosen(latents.poses, azimuth, elevation, scale)
        images: Tensor = self.network("generator", averaged)(latents.values, latents.labels, poses)
        return images

    def animate(
        self,
        random: Randomness,
        frames: int,
        *,
        turn: Part = "azimuth",
        azimuth: Azimuth | None = None,
        elevation: Elevation | None = None,
        scale: Scale | None = None,
        averaged: bool = True,
    ) -> Tensor:
        """Films (N, frames, C, H, W) of samples that turn: through the range of the training and back.

        Args:
            random: Random numbers, one row for each film.
            frames: how many.
            turn: what changes; a whole circle of azimuths is gone through once.
            azimuth: in degrees, where it does not change; null for the middle of the training's.
            elevation: the same.
            scale: the same.
            averaged: use the averaged weights.
        """
        fixed = {"azimuth": azimuth, "elevation": elevation, "scale": scale}
        if fixed[turn] is not None:
            raise UserError(f"the film turns through '{turn}', which thus has no one value: leave it out")
        pose = {name: self.poses.middle(name) if value is None else value for name, value in fixed.items()}  # type: ignore[arg-type]
        labels = random.integers("labels", self.facts.classes) if self.facts.classes else None
        latents = self.draw(random, labels)
        moments = [self.render(latents, averaged=averaged, **{**pose, turn: v}) for v in self.poses.way(turn, frames)]
        return torch.stack(moments, dim=1)
