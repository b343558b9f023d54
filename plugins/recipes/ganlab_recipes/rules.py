"""The rules of all recipes, as tables: of several rows, the first that fits a task counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ganlab.recipes import Task


@dataclass(frozen=True)
class Row:
    """What holds for tasks of some kind.

    Args:
        value: the choice.
        because: a sentence with the reason.
        accelerated: for machines with an accelerator, without one, or null for both.
        most_hours: longer trainings are not of this kind.
        most_side: larger images neither.
        most_pictures: larger sets neither.
    """

    value: Any
    because: str
    accelerated: bool | None = None
    most_hours: float = math.inf
    most_side: float = math.inf
    most_pictures: float = math.inf

    def fits(self, task: Task) -> bool:
        """Whether a task is of this kind."""
        return (
            self.accelerated in (None, task.machine.accelerated)
            and task.hours <= self.most_hours
            and task.side <= self.most_side
            and task.size <= self.most_pictures
        )


def choose(rows: Sequence[Row], task: Task) -> Row:
    """The first row that fits. The last one of every table fits everything."""
    return next(row for row in rows if row.fits(task))


UNSUITED = -1

PLAIN_RANK = (
    Row(
        2,
        "DCGAN, narrow: on a CPU it sees many more pictures in the same time than StyleGAN2, and shows more for it.",
        accelerated=False,
        most_hours=12,
        most_side=256,
    ),
    Row(1, "DCGAN: plain and fast.", most_side=256),
    Row(UNSUITED, "Its images have at most 256 pixels."),
)
SPECTRAL_RANK = (
    Row(0, "DCGAN with spectral norm and the hinge loss, which need no penalty.", most_side=256),
    Row(UNSUITED, "Its images have at most 256 pixels."),
)
STYLES_RANK = (
    Row(1.5, "StyleGAN2, small: for a CPU that has a day for it.", accelerated=False),
    Row(3, "StyleGAN2: the choice wherever there is an accelerator."),
)
RESIDUAL_RANK = (
    Row(0, "R3GAN, for long trainings on accelerators: each step is slow, as it has two penalties.", most_side=256),
    Row(UNSUITED, "Not tried here beyond 256 pixels."),
)

AUGMENTATION = (
    Row(
        {"name": "ada", "speed_kimg": 100},
        "ADA keeps the discriminator from learning so few pictures by heart; it adapts fast, as the training is short.",
        most_pictures=5_000,
    ),
    Row({"name": "ada"}, "ADA, as published: it stays near 0 while the pictures suffice.", most_pictures=100_000),
    Row(None, "So many pictures need none."),
)
BATCH = (
    Row(32, "On a CPU a larger batch only makes steps slower.", False),
    Row(64, "As published for small images.", most_side=64),
    Row(32, "What the memory of one accelerator holds."),
)
R1_WEIGHT = (
    Row(
        0.5,
        "Higher is steadier and blurs: try 4 times as much if samples decay, a quarter if they stay blurred.",
        most_side=64,
    ),
    Row(
        1.0,
        "Larger images want more: try 4 times as much if samples decay, a quarter if they stay blurred.",
        most_side=128,
    ),
    Row(4.0, "Larger images want more: try 4 times as much if samples decay, a quarter if they stay blurred."),
)
SAMPLES = (
    Row(500, "Few, as measuring many would take as long as so short a training.", most_hours=0.5),
    Row(2000, "Enough to compare evaluations of one training with each other."),
)
PLAIN_WIDTH = (
    Row(16, "Channels of the finest layer; 64 are published, 16 are many times as fast on a CPU.", False, most_hours=2),
    Row(32, "Channels of the finest layer; 64 are published, half as many suit a CPU.", False),
    Row(64, "Channels of the finest layer, as published."),
)
STYLES_CHANNELS = (
    Row((16, 64), "Few channels, for a CPU: channel_base over the side, but at most channel_max.", False, most_hours=2),
    Row((64, 128), "Channels for hours on a CPU: channel_base over the side, but at most channel_max.", False),
    Row((256, 512), "Half the published channels, for small images: channel_base over the side.", most_side=256),
    Row((32, 512), "The published channels."),
)
RESIDUAL_WIDTH = (
    Row(64, "Channels of the coarser stages; 768 are published, far too slow for a CPU.", False),
    Row(384, "Channels of the coarser stages, half of the published ones."),
)
