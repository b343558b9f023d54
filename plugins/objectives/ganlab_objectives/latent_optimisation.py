"""Latents that are improved before fakes are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from ganlab.contracts import Fakes, Scores
from ganlab.errors import UserError
from ganlab.randomness import Randomness
from ganlab.schedules import Scheduled


class LatentOptimisation:
    """Moves latents one step to where the discriminator sees more of a real, in both players' updates (LOGAN).

    With g the gradient of the logit of a fake by its latents, the step is `step` * g / (`damping` + |g|^2), the natural
    gradient with the empirical Fisher matrix g g^T + `damping` I, or plainly `step` * g (Wu et al., 2019, "LOGAN").
    Both players differentiate through the step: the gradient of their terms has second derivatives of both networks. An
    update costs about two and a half as much. The published values of `damping` and `charge` for ImageNet are not known
    for certain; the defaults are those of a well-known reimplementation for CIFAR-10.

    Args:
        method: `natural` gradient, or plain `gradient`.
        step: length of a step.
        damping: Damping of the natural gradient. Below it, steps grow with the gradient, above it they shrink.
        share: Share of the latents that are moved, drawn anew each time.
        share_of: whether that is a share of the numbers of each latent vector, or of the images.
        charge: weight of the mean squared length of the change, which joins the terms of both players.
        limits: the range to which moved latents are clipped, [-1, 1] for uniform ones; null for none.
    """

    differentiates: ClassVar[bool] = True

    def __init__(
        self,
        method: Literal["natural", "gradient"] = "natural",
        step: Annotated[Scheduled, Ge(0)] = 0.9,
        damping: Annotated[Scheduled, Gt(0)] = 0.1,
        share: Annotated[Scheduled, Ge(0), Le(1)] = 0.8,
        share_of: Literal["numbers", "images"] = "numbers",
        charge: Annotated[Scheduled, Ge(0)] = 0.1,
        limits: tuple[float, float] | None = None,
    ) -> None:
        if limits is not None and not limits[0] < limits[1]:
            raise UserError(f"'limits' is [low, high] with low below high, not {list(limits)}")
        self.method = method
        self.step = step
        self.damping = damping
        self.share = share
        self.share_of = share_of
        self.charge = charge
        self.limits = limits

    def __call__(
        self,
        make: Callable[[Tensor], Fakes],
        latents: Tensor,
        judge: Callable[[Fakes], Scores],
        random: Randomness,
    ) -> Fakes:
        """Fakes of moved latents, with the term `latent_change`."""
        latents = latents.detach().requires_grad_()
        logits = judge(make(latents)).logits
        (gradient,) = torch.autograd.grad(logits.float().sum(), latents, create_graph=True)
        change = self._moved(random, latents) * self._step(gradient)
        moved = latents + change
        if self.limits is not None:
            moved = moved.clamp(*self.limits)
        length = change.flatten(1).square().sum(1).mean()
        fakes = make(moved)
        return replace(fakes, terms={**fakes.terms, "latent_change": self.charge * length})

    def _step(self, gradient: Tensor) -> Tensor:
        if self.method == "gradient":
            return self.step * gradient
        squared = gradient.flatten(1).square().sum(1).view(-1, *[1] * (gradient.dim() - 1))
        return self.step * gradient / (self.damping + squared)

    def _moved(self, random: Randomness, latents: Tensor) -> Tensor:
        shape = latents.shape[1:] if self.share_of == "numbers" else [1] * (latents.dim() - 1)
        return (random.uniform("moved", *shape) < self.share).to(latents)
