"""Where the motion of real films is known from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from torch import Tensor

from ganlab import DataFacts, UserError

FlowSource = Literal["data", "raft_small", "raft_large", "none"]
Flows = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
"""Flows (N, T, 3, H, W) of films (N, T, C, H, W) in [-1, 1] and their inputs; nothing is known at first frames."""


def flows_of(source: FlowSource, facts: DataFacts, weights: str | None = None) -> Flows | None:
    """What tells the motion of films; None for `none`.

    Raises `UserError` for data that do not tell it themselves, and where a network's weights are not there.
    """
    if source == "none":
        return None
    if source != "data":
        from ganlab_video.raft import Raft

        return Raft(source, weights)
    names = [name for name in facts.inputs_of_frames if facts.inputs[name].kind == "flows"]
    if len(names) != 1:
        found = f"have {len(names)} of them: {', '.join(names)}" if names else "have none"
        raise UserError(
            f"'flow: data' takes the motion of pixels from an input of the kind 'flows', and these data {found}. "
            "'raft_large' finds it by a network, and 'none' does without"
        )
    name = names[0]

    def of_data(films: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        return without_first(inputs[name])

    return of_data


def without_first(flows: Tensor) -> Tensor:
    """Flows (N, T, 3, H, W) that tell nothing of the first frame: what is before it is not in the window."""
    flows = flows.clone()
    flows[:, 0] = 0
    return flows
