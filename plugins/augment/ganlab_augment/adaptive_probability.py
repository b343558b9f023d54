"""The probability of augmentation that keeps the discriminator from learning the reals by heart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from ganlab.distributed import mean_over_ranks, world_size
from ganlab.errors import UserError

Heuristic = Literal["sign", "logit"]

HEURISTICS: Mapping[str, Callable[[Tensor], Tensor]] = {"sign": torch.sign, "logit": torch.clone}
"""What is taken of each logit of a real."""

TARGETS: Mapping[str, float] = {"sign": 0.6, "logit": math.log(4)}
"""The paper's target, four of five reals recognised, and the logit of a probability of four in five."""


class AdaptiveProbability(nn.Module):
    """Moves a probability up while the mean heuristic of the reals is above a target, else down, but not below 0.

    It moves after `interval` batches, by their images over `speed_images`. What was seen since the last move lives in
    buffers that hold sums over all ranks: with this the moves are the same on all ranks and for any number of them, and
    for any size of the parts of a batch.
    """

    value: Tensor
    total: Tensor
    seen: Tensor

    def __init__(
        self, start: float, heuristic: Heuristic, target: float | None, speed_images: float, interval: int
    ) -> None:
        super().__init__()
        self.heuristic = HEURISTICS[heuristic]
        self.target = TARGETS[heuristic] if target is None else target
        if heuristic == "sign" and abs(self.target) >= 1:
            raise UserError(f"'target' is a mean of signs, between -1 and 1, and not {target:g}")
        self.speed_images = speed_images
        self.interval = interval
        self.register_buffer("value", torch.tensor(float(start)))
        self.register_buffer("total", torch.tensor(0.0))
        self.register_buffer("seen", torch.tensor(0.0))

    @torch.no_grad()
    def observe(self, real_logits: Tensor) -> None:
        """Note what the reals' logits (N, ...) of all ranks say; nothing if they are not finite, as training may go on.

        A collective.
        """
        mean = mean_over_ranks(self.heuristic(real_logits).mean())
        count = torch.isfinite(mean) * (len(real_logits) * world_size())
        self.total.add_(torch.where(count > 0, mean, 0.0) * count)
        self.seen.add_(count)

    @torch.no_grad()
    def move(self, batch_size: int) -> Tensor:
        """The probability, moved if `interval` batches of `batch_size` (over all ranks) were seen since the last move.

        Called at the start of a pass. Nothing waits for the device.
        """
        due = self.seen >= self.interval * batch_size
        step = (self.total / self.seen.clamp_min(1) - self.target).sign() * self.seen / self.speed_images
        self.value.add_(step * due).clamp_min_(0)
        self.total.mul_(~due)
        self.seen.mul_(~due)
        return self.value
