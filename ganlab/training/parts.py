"""The parts that an update's batch is seen in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch

from ganlab.contracts import Batch
from ganlab.nn.committed import Committed
from ganlab.nn.spectral_norm import one_iteration
from ganlab.nn.whole_batch import WholeBatch, given, measuring
from ganlab.randomness import layer_draws


class _Shown(Protocol):
    @property
    def committed(self) -> list[Committed]: ...
    def modules(self) -> Iterator[torch.nn.Module]: ...
    def show_batch(self, batch: Batch) -> None: ...


def in_parts(module: _Shown, batch: Batch, size: int | None) -> Iterator[Batch]:
    """A batch in parts of at most `size` examples, each with its draws for layers.

    Norms that can use the statistics of the whole batch do so in all of them; spectral norm iterates once.
    """
    parts = batch.split(size)
    norms = [part for part in module.modules() if isinstance(part, WholeBatch)] if len(parts) > 1 else []
    with one_iteration(), measuring(norms) as found:
        if norms:
            with torch.no_grad():
                module.show_batch(batch)
            for state in module.committed:
                state.discard()
        for norm in norms:
            norm.noted = None
        for part in parts:
            with layer_draws(part.random.scoped("layers")), given(norms, found):
                yield part
