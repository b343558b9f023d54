"""Statistics over a batch for discriminators, so that fakes are judged by how they vary, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchStandardDeviation(nn.Module):
    """Appends one channel: how much the images of a group differ, averaged over all features and pixels.

    Groups have `group` images (Karras et al., 2018, and its authors' code), or are the whole batch without one. Their
    members are strided: with M groups, image n belongs to group n mod M. A batch that `group` does not divide has
    groups of almost equal size, the largest of them at most `group`. Batches are those of one pass on one device.
    """

    uses_batch_statistics = True

    def __init__(self, group: int | None = 4, eps: float = 1e-8) -> None:
        super().__init__()
        assert group is None or group >= 1, f"a group has at least one image, not {group}"
        self.group = group
        self.eps = eps

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) to (N, C + 1, H, W); in float32 or more inside."""
        count = len(images)
        groups = -(-count // (self.group or count))
        exact = images if images.dtype == torch.float64 else images.float()
        if count % groups:
            deviations = torch.stack([self._deviation(exact[first::groups]) for first in range(groups)])
        else:
            deviations = self._deviation(exact.unflatten(0, (count // groups, groups)))
        own = deviations.reshape(groups).repeat(-(-count // groups))[:count]
        channel = own.to(images.dtype).view(count, 1, 1, 1).expand(count, 1, *images.shape[2:])
        return torch.cat([images, channel], dim=1)

    def _deviation(self, members: Tensor) -> Tensor:
        """Members (G, ..., C, H, W) of a group to their mean standard deviation (...)."""
        variance = members.var(0, correction=0)
        return (variance + self.eps).sqrt().mean((-3, -2, -1))

    def extra_repr(self) -> str:
        """The option, for printing."""
        return f"group={self.group}"
