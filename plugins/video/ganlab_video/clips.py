"""Parts of films that are made and judged in one update."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganlab import Batch
from ganlab_video.warping import flow_back

# Inputs of the batch that a clip is; a batch is cut into parts by its rows, and so is all of these.
MAPS, FLOWS, MADE, FAKES, RAWS = "clip maps", "clip flows", "clip made", "clip fakes", "clip raws"


@dataclass
class Clip:
    """Some frames of a film, with those before them that are remembered; row i of everything belongs to film i.

    `reals` (N, B + F, C, H, W) are B frames before and the F frames that are made now, `made` (N, B, C, H, W) what was
    made of those before, `maps` (N, P + F, S, H, W) what frames are made from, the P before as well, and `flows`
    (N, B + F, 3, H, W) the motion that is known of the reals, if any is. `fakes` and `raws` (N, F, C, H, W) were made
    without a graph, what was drawn anew apart.
    """

    reals: Tensor
    made: Tensor
    maps: Tensor
    flows: Tensor | None
    fakes: Tensor
    raws: Tensor

    @property
    def before(self) -> int:
        """Frames before, B; 0 at the begin of a film."""
        return self.made.shape[1]

    @property
    def new_reals(self) -> Tensor:
        """The reals of the frames that are made now (N, F, C, H, W)."""
        return self.reals[:, self.before :]

    def as_batch(self, batch: Batch, frame: int) -> Batch:
        """The batch of an update for this clip, which starts at a frame, with random numbers of its own."""
        parts = {MAPS: self.maps, MADE: self.made, FAKES: self.fakes, RAWS: self.raws}
        parts |= {} if self.flows is None else {FLOWS: self.flows}
        return replace(batch.scoped("frame", frame), images=self.reals, inputs={**batch.inputs, **parts})

    @classmethod
    def of_batch(cls, batch: Batch) -> Clip:
        """The clip that a batch, or a part of it, stands for."""
        inputs = batch.inputs
        return cls(batch.images, inputs[MADE], inputs[MAPS], inputs.get(FLOWS), fakes=inputs[FAKES], raws=inputs[RAWS])


def is_clip(batch: Batch) -> bool:
    """Whether a batch stands for a clip, and not for whole films."""
    return MADE in batch.inputs


def last_frames(made: Tensor, count: int) -> Tensor:
    """The last frames of (N, T, C, H, W), with black ones in front where there are fewer: -1 is black, 0 is nothing."""
    kept = made[:, max(0, made.shape[1] - count) :]
    missing = count - kept.shape[1]
    return torch.cat([kept.new_zeros(kept.shape[0], missing, *kept.shape[2:]), kept], dim=1) if missing else kept


def films(frames: Tensor, flows: Tensor | None, end: int, length: int, stride: int, scale: float) -> Tensor:
    """What a judge of films sees: `length` frames, each `stride` from the next, up to the one at `end`.

    Frames (N, T, C, H, W) become channels (N, length * C, H, W), the oldest first, and the flows from each to the one
    before it, over `scale`, 2 * (length - 1) channels more.
    """
    places = [end - stride * back for back in reversed(range(length))]
    shown = [frames[:, place] for place in places]
    if flows is not None:
        shown += [flow_back(flows, place, stride)[:, :2] / scale for place in places[1:]]
    return torch.cat(shown, dim=1)
