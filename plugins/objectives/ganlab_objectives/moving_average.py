"""A moving average that regularizers keep between updates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlab.distributed import mean_over_ranks


class MovingAverage(nn.Module):
    """Average of a number over updates, saved with the run and equal on all ranks.

    `observe` notes values of a part of the batch; `commit`, called once after the update, takes their mean over all
    parts and ranks into the average. Numbers that are not finite are left out, as the platform may go on after them.

    Args:
        decay: weight of the old average.
        debias: correct for the start at 0, so that the first average is the first mean.
    """

    value: Tensor
    updates: Tensor

    def __init__(self, decay: float, debias: bool = False) -> None:
        super().__init__()
        self.decay = decay
        self.debias = debias
        self.register_buffer("value", torch.zeros(()))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self._observed: list[Tensor] = []

    def current(self) -> Tensor:
        """The average of the updates before this one; 0 before the first."""
        if not self.debias:
            return self.value.clone()
        share = 1 - self.decay ** self.updates.to(self.value.dtype)
        return self.value / share.clamp_min(torch.finfo(share.dtype).tiny)

    def observe(self, values: Tensor) -> None:
        """Note values (N,) of a part of the batch."""
        self._observed.append(values.detach().flatten())

    def commit(self) -> None:
        """Take what was observed into the average. A collective: every rank calls it."""
        if not self._observed:
            return
        mean = mean_over_ranks(torch.cat(self._observed).mean())
        self._observed.clear()
        taken = torch.isfinite(mean)
        self.value.copy_(torch.where(taken, self.value.lerp(mean.to(self.value), 1 - self.decay), self.value))
        self.updates += taken
