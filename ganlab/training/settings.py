"""What a training needs beside its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ganlab.contracts import DataFacts, PlayerOptimizer
from ganlab.schedules import Schedule
from ganlab.training.guard import Guard
from ganlab.training.scheduled_option import ScheduledOption


@dataclass
class TrainingSettings:
    """What the platform gives an architecture for training.

    `made_from` are plain values of which the architecture can be built again, for the header of its generator's file.
    """

    facts: DataFacts
    optimizers: Mapping[str, PlayerOptimizer]
    seed: int = 0
    batch_size: int = 64
    micro_batch: int | None = None
    half_life_kimg: float | Schedule | None = 10.0
    ramp_up: float | None = 0.05
    average_from_kimg: float = 0.0
    guard: Guard = field(default_factory=Guard)
    schedules: Sequence[ScheduledOption] = ()
    penalty_precision: Literal["float32", "same"] = "float32"
    made_from: Mapping[str, Any] = field(default_factory=dict)
