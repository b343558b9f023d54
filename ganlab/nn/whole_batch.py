"""Statistics of a batch that a network sees in parts, and what happens once an update however many parts there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor

Statistics = tuple[Tensor, Tensor]
"""Mean and variance of each channel."""


class WholeBatch:
    """A normalization that can use the statistics of a whole batch where a network sees it in parts.

    It inherits from this beside `torch.nn.Module`, and asks `of_batch` in training mode for what to normalize by. The
    platform shows the network the whole batch, without a graph, before the parts. What is `of_batch` has the whole
    batch's values. Its gradient is that of the part's own statistics, which stand for the whole batch's: the other
    parts' share of the gradient would need all their graphs at once.
    """

    noted: list[Statistics] | None = None
    given: Iterator[Statistics] | None = None

    @property
    def is_in_parts(self) -> bool:
        """Whether the batch is being measured, or seen in parts after that."""
        return self.noted is not None or self.given is not None

    def of_batch(self, mean: Tensor, variance: Tensor) -> Statistics:
        """What to normalize by, where these are the statistics of this pass."""
        if self.noted is not None:
            self.noted.append((mean.detach(), variance.detach()))
        if self.given is None:
            return mean, variance
        whole_mean, whole_variance = next(self.given, (mean.detach(), variance.detach()))
        return whole_mean + (mean - mean.detach()), whole_variance + (variance - variance.detach())


@contextmanager
def measuring(norms: Sequence[WholeBatch]) -> Iterator[list[list[Statistics]]]:
    """Note the statistics of every pass through each of the norms."""
    found: list[list[Statistics]] = [[] for _ in norms]
    for norm, noted in zip(norms, found, strict=True):
        norm.noted = noted
    try:
        yield found
    finally:
        for norm in norms:
            norm.noted = None


@contextmanager
def given(norms: Sequence[WholeBatch], found: Sequence[Sequence[Statistics]]) -> Iterator[None]:
    """Let each norm use what was noted of it, pass by pass, instead of the statistics of its own passes."""
    for norm, noted in zip(norms, found, strict=True):
        norm.given = iter(noted)
    try:
        yield
    finally:
        for norm in norms:
            norm.given = None
