"""What a recipe is told and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganlab.recipes.machine import Machine


@dataclass(frozen=True)
class Task:
    """A training that somebody wants.

    Args:
        shape: (channels, height, width) of the images.
        size: how many pictures there are.
        classes: how many classes they have; 0 for none.
        machine: what there is to train on.
        hours: how long the training may take.
    """

    shape: tuple[int, int, int]
    size: int
    classes: int
    machine: Machine
    hours: float

    @property
    def side(self) -> int:
        """The longer side of the images in pixels."""
        return max(self.shape[1:])


@dataclass(frozen=True)
class Draft:
    """Sections of a spec that suit a task.

    Args:
        rank: how well they suit it; of several drafts, the one with the highest is taken.
        why: a sentence that says why these networks, of all that there are.
        sections: `architecture`, `optimizers` and whatever else of a spec depends on them, as a spec has it.
        reasons: sentences by the place that they are about, such as "architecture.augmentation".
    """

    rank: float
    why: str
    sections: Mapping[str, Any]
    reasons: Mapping[str, str] = field(default_factory=dict)
