"""How much films flicker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.data.scaling import scale
from ganlab_video.generator import EXAMPLE_FACTS
from ganlab_video.motion import FlowSource, flows_of
from ganlab_video.warping import warp

_BYTES = (0.0, 255.0)


class WarpingError:
    """The mean squared difference of frames to those before, moved as the reals move (Lai et al., 2018): flicker.

    Values from 0 to 1, over all pixels of which it is known where they were. Fakes move as the reals of whose inputs
    they were made. `reals` is the same number of the reals, which is not 0 where light changes, at blurred edges and
    between pixels. A film of which nothing changes where nothing moves has the smallest number, and so has one that
    shows nothing: look at how real its frames are as well.

    Args:
        facts: facts of the data.
        flow: where the motion is known from: the `data`, or a network of torchvision that looks at the reals.
        flow_weights: a file of that network's weights, where it is not where torch keeps its downloads.
    """

    of_sequences: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"reals", "fakes", "targets", "inputs"})
    higher_is_better: ClassVar[bool] = False
    example_facts: ClassVar[DataFacts] = EXAMPLE_FACTS

    def __init__(self, facts: DataFacts, flow: FlowSource = "data", flow_weights: str | None = None) -> None:
        flows = flows_of(flow, facts, flow_weights) if facts.frames > 1 else None
        if flows is None:
            raise UserError(
                "warping_error compares the frames of films by their motion: it needs data with sequences of two "
                "frames at least, and 'flow' is data, raft_small or raft_large"
            )
        self.flows = flows
        self.frames = facts.frames
        self.protocol: Mapping[str, object] = {"flow": flow}
        self._reals, self._fakes = _Sum(), _Sum()

    def update(self, images: Tensor, real: bool, targets: Tensor | None, inputs: Mapping[str, Tensor] | None) -> None:
        """Take in films as their frames one after the other, bytes (N * T, C, H, W)."""
        films = _films(images, self.frames)
        flows = self.flows(films if targets is None else _films(targets, self.frames), inputs or {})
        (self._reals if real else self._fakes).add(films, flows)

    def compute(self) -> Mapping[str, float]:
        """The number of the fakes, and that of the reals."""
        return {"fakes": self._fakes.mean(), "reals": self._reals.mean()}

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes = _Sum()


class _Sum:
    def __init__(self) -> None:
        self.total = torch.zeros((), dtype=torch.float64)
        self.known = torch.zeros((), dtype=torch.float64)

    def add(self, films: Tensor, flows: Tensor) -> None:
        after, flow = films[:, 1:].flatten(0, 1), flows[:, 1:].flatten(0, 1).to(films)
        apart = ((after - warp(films[:, :-1].flatten(0, 1), flow[:, :2])) / 2).square().mean(1)  # from 0 to 1
        self.total += (apart * flow[:, 2]).double().sum().cpu()
        self.known += flow[:, 2].double().sum().cpu()

    def mean(self) -> float:
        return float(self.total / self.known.clamp(min=1))


def _films(images: Tensor, frames: int) -> Tensor:
    """Bytes (N * T, C, H, W) as films (N, T, C, H, W) in [-1, 1]."""
    return scale(images, _BYTES).unflatten(0, (-1, frames))
