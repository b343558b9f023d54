"""A moving average that a network or a penalty keeps between updates."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.distributed import mean_over_ranks
from ganlab.nn.committed import Committed


class RunningMean(Committed):
    """Average of numbers over updates, saved with the run and equal on all ranks.

    `observe` notes values of a part of the batch. When the update has been made, the platform takes their mean over
    all parts and ranks into the average (`commit`); those of an update that is left out are forgotten (`discard`).
    Means that are not finite are left out as well.

    Args:
        decay: weight of the old average.
        shape: of one example's numbers.
        debias: correct for the start at 0, so that the first average is the first mean.
        limits: what the mean of an update is clipped to; null for no limits.
    """

    value: Tensor
    updates: Tensor

    def __init__(
        self,
        decay: float,
        shape: tuple[int, ...] = (),
        debias: bool = False,
        limits: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        self.decay = decay
        self.debias = debias
        self.limits = limits
        self.register_buffer("value", torch.zeros(shape))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self._observed: list[Tensor] = []

    def current(self) -> Tensor:
        """The average of the updates before this one; 0 before the first."""
        if not self.debias:
            return self.value.clone()
        share = 1 - self.decay ** self.updates.to(self.value.dtype)
        return self.value / share.clamp_min(torch.finfo(share.dtype).tiny)

    def observe(self, values: Tensor) -> None:
        """Note the values (N, *shape) of a part of the batch."""
        self._observed.append(values.detach().reshape(-1, *self.value.shape))

    @torch.no_grad()
    def commit(self, refused: Tensor | None = None) -> None:
        """Take what was observed into the average, unless `refused` is true. A collective: every rank calls it."""
        if not self._observed:
            return
        mean = mean_over_ranks(torch.cat(self._observed).mean(0)).to(self.value)
        self._observed.clear()
        if self.limits is not None:
            mean = mean.clamp(*self.limits)
        taken = torch.isfinite(mean).all()
        if refused is not None:
            taken &= ~refused
        self.value.copy_(torch.where(taken, self.value.lerp(mean, 1 - self.decay), self.value))
        self.updates += taken

    def discard(self) -> None:
        """Forget what was observed."""
        self._observed.clear()
