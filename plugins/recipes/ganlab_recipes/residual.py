"""R3GAN: two penalties in every update, for long trainings."""

from __future__ import annotations

from typing import Any

from ganlab.recipes import Draft, Task
from ganlab_recipes.parts import adam, sections
from ganlab_recipes.rules import RESIDUAL_RANK, RESIDUAL_WIDTH, choose

_LARGEST_START = 8  # pixels of the smallest maps
_FULL = 4  # stages of the full width, from the coarsest on
_GROUP = 8  # channels of a group


def residual(task: Task) -> Draft | None:
    """R3GAN, the relativistic loss with R1 and R2, and ADA."""
    rank, width = choose(RESIDUAL_RANK, task), choose(RESIDUAL_WIDTH, task)
    stages = _stages(task)
    if rank.value < 0 or stages is None:
        return None
    widths = [max(width.value >> max(0, stage + 1 - _FULL), _GROUP) for stage in range(stages)]
    networks: dict[str, Any] = {"name": "r3gan", "widths": widths, "groups": [each // _GROUP for each in widths]}
    architecture = {
        "name": "r3gan",
        "generator": networks,
        "discriminator": networks,
        "loss": {"name": "r3gan", "gamma": 1.0 if task.side <= 64 else 10.0},
    }
    rate = 2e-4 if task.machine.accelerated else 5e-4
    tree, reasons = sections(task, architecture, adam(rate, rate), wide=task.machine.accelerated)
    reasons |= {
        "architecture.generator.widths": width.because,
        "architecture.loss": "The relativistic loss with R1 and R2 in every update; gamma is the weight of both.",
    }
    return Draft(rank.value, rank.because, tree, reasons)


def _stages(task: Task) -> int | None:
    """As many as halve the longer side to 4 to 7 pixels; null if the sides cannot be halved so often."""
    halvings = max(task.side.bit_length() - 3, 0)
    if any(side % 2**halvings for side in task.shape[1:]) or task.side >> halvings > _LARGEST_START:
        return None
    return halvings + 1
