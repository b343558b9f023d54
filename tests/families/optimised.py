"""A wrapper of latents for any game: one step uphill before fakes are made (LOGAN: Wu et al., 2019).

It knows nothing of the game that it is used in: `make` makes fakes with all that belongs to them, `judge` asks the
discriminator about them. Steps are measured in the usual length of a gradient, a running mean that is saved with the
run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganlab import Fakes, Randomness, Scores
from ganlab.nn import RunningMean


class OptimisedLatents(nn.Module):
    """Latents moved to where the discriminator sees more of a real.

    Args:
        step: length of a step, where the gradient has its usual length.
        share: of the fakes that are moved, chosen at random.
        charge: weight of the mean squared change.
    """

    differentiates: ClassVar[bool] = True

    def __init__(self, step: float = 0.5, share: float = 0.8, charge: float = 0.1) -> None:
        super().__init__()
        self.step, self.share, self.charge = step, share, charge
        self.usual = RunningMean(0.9, debias=True)

    def forward(
        self,
        make: Callable[[Tensor], Fakes],
        latents: Tensor,
        judge: Callable[[Fakes], Scores],
        random: Randomness,
    ) -> Fakes:
        latents = latents.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(judge(make(latents)).logits.sum(), latents, create_graph=True)
        self.usual.observe(gradient.norm(dim=1))
        usual = self.usual.current().to(gradient)
        moved = (random.uniform("moved") < self.share).to(gradient)[:, None]
        change = moved * self.step * gradient / torch.where(usual > 0, usual, 1)
        return replace(make(latents + change), terms={"change": self.charge * change.square().mean()})
