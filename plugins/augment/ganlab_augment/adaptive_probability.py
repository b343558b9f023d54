"""The probability of augmentation that keeps the discriminator from learning the reals by heart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlab.training.gradient_sync import world_size


class AdaptiveProbability(nn.Module):
    """Moves a probability up while the mean sign of the reals' logits is above a target, else down, but not below 0.

    It moves after `interval` batches, by their images over `speed_images`. What was seen since the last move lives in
    buffers that hold sums over all ranks, because the platform averages buffers over the ranks at every update: with
    this the moves are the same on all ranks and for any number of them, and for any size of the parts of a batch.
    """

    value: Tensor
    signs: Tensor
    seen: Tensor

    def __init__(self, start: float, target: float, speed_images: float, interval: int) -> None:
        super().__init__()
        self.target = target
        self.speed_images = speed_images
        self.interval = interval
        self.register_buffer("value", torch.tensor(float(start)))
        self.register_buffer("signs", torch.tensor(0.0))
        self.register_buffer("seen", torch.tensor(0.0))

    @torch.no_grad()
    def observe(self, real_logits: Tensor) -> None:
        """Note the signs of reals' logits (N, ...)."""
        ranks = world_size()
        self.signs.add_(real_logits.sign().mean() * (len(real_logits) * ranks))
        self.seen.add_(len(real_logits) * ranks)

    @torch.no_grad()
    def move(self, batch_size: int) -> Tensor:
        """The probability, moved if `interval` batches of `batch_size` (over all ranks) were seen since the last move.

        Called at the start of a pass, when the ranks have agreed on what was seen. Nothing waits for the device.
        """
        due = self.seen >= self.interval * batch_size
        step = (self.signs / self.seen.clamp_min(1) - self.target).sign() * self.seen / self.speed_images
        self.value.add_(step * due).clamp_min_(0)
        self.signs.mul_(~due)
        self.seen.mul_(~due)
        return self.value
