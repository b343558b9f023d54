"""The motion of films, found by a network: RAFT, of torchvision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from ganlab_metrics.weights import KnownWeights, fit, read_weights
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlab import UserError
from ganlab.nn import Frozen
from ganlab_video.warping import warp

RaftName = Literal["raft_small", "raft_large"]

WEIGHTS: Mapping[str, KnownWeights] = {
    "raft_small": KnownWeights(
        "RAFT, small (torchvision)",
        "raft_small_C_T_V2-01064c6d.pth",
        "https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth",
    ),
    "raft_large": KnownWeights(
        "RAFT (torchvision)",
        "raft_large_C_T_SKHT_V2-ff5fadd5.pth",
        "https://download.pytorch.org/models/raft_large_C_T_SKHT_V2-ff5fadd5.pth",
    ),
}

_MULTIPLE, _LEAST = 8, 128  # of the sides of frames that the network takes
_KNOWN_BELOW = 0.02  # squared difference, summed over channels from -1 to 1


class Raft(nn.Module):
    """The flows of films by RAFT (Teed and Deng, 2020), which stands here for the FlowNet 2 of vid2vid's authors.

    Motion is known, as in their code, where the frame before, moved by it, differs little from the frame. The weights
    are read from this machine and are no part of checkpoints.

    Args:
        name: which of torchvision's networks.
        weights: a file of its weights, where it is not where torch keeps its downloads.
    """

    def __init__(self, name: RaftName = "raft_large", weights: str | None = None) -> None:
        from torchvision.models import optical_flow

        super().__init__()
        known = WEIGHTS[name]
        path = known.find(weights)
        network = getattr(optical_flow, name)(weights=None)
        fit(network, read_weights(path, known.network), path, known.network)
        self.network = Frozen(network)

    @torch.no_grad()
    def forward(self, films: Tensor, inputs: Mapping[str, Tensor] | None = None) -> Tensor:
        """Flows (N, T, 3, H, W) of films (N, T, C, H, W) in [-1, 1], of 1 or 3 channels."""
        if films.shape[2] not in (1, 3):
            raise UserError("RAFT looks at grey or RGB frames, which these are not: take 'flow: none'")
        before, frames = (films[:, part].flatten(0, 1) for part in (slice(None, -1), slice(1, None)))
        nothing = films.new_zeros(len(films), 1, 3, *films.shape[-2:])
        if not len(frames):
            return nothing
        flow = self._flow(frames, before)
        apart = (frames - warp(before, flow)).square().sum(1, keepdim=True)
        found = torch.cat([flow, (apart < _KNOWN_BELOW).to(flow.dtype)], dim=1)
        return torch.cat([nothing, found.unflatten(0, (len(films), films.shape[1] - 1))], dim=1)

    def _flow(self, frames: Tensor, before: Tensor) -> Tensor:
        """Where each pixel (N, C, H, W) of frames was before, in pixels (N, 2, H, W)."""
        sides = frames.shape[-2:]
        wanted = [max(_LEAST, -(-side // _MULTIPLE) * _MULTIPLE) for side in sides]
        shown = [interpolate(part, wanted, mode="bilinear", align_corners=False) for part in (frames, before)]
        flow = self.network(*(part.expand(-1, 3, -1, -1) for part in shown))[-1]
        back: Tensor = interpolate(flow, sides, mode="bilinear", align_corners=False)
        grown = [whole / side for whole, side in zip(wanted, sides, strict=True)]
        return back / back.new_tensor([grown[1], grown[0]]).view(1, 2, 1, 1)
