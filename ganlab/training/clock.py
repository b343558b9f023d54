"""The one clock of a run: real images shown to the discriminator, over all ranks."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any


def kimg_label(images: int) -> str:
    """How files are named after a moment of training: `kimg-000020`, or `kimg-000020.500` between whole kimg."""
    thousands, rest = divmod(images, 1000)
    return f"kimg-{thousands:06d}" + (f".{rest:03d}" if rest else "")


def labelled_images(name: str) -> int:
    """The moment that a file named by `kimg_label` is named after; -1 for other files."""
    found = re.match(r"kimg-(\d+)(?:\.(\d{3}))?(?:\.[a-z]|$)", name)
    return 1000 * int(found[1]) + int(found[2] or 0) if found else -1


class Clock:
    """Counts images; every length, interval and schedule of a run follows it.

    `position` is the place in the stream of training examples. It moves with `images_seen` but never back: after a
    rollback the clock shows an earlier time while the stream, and with it every random draw, goes on to new ground.
    `updates` counts the optimizer steps of each player, `rounds` the rounds of the game, for published schedules that
    count iterations.
    """

    def __init__(self) -> None:
        self.images_seen = 0
        self.before_step = 0
        self.position = 0
        self.rounds = 0
        self.updates: Counter[str] = Counter()

    def advance(self, images: int) -> None:
        """End a training step, one round of the game, that showed `images` reals to the discriminator."""
        self.before_step = self.images_seen
        self.images_seen += images
        self.position += images
        self.rounds += 1

    def stand_still(self) -> None:
        """Let nothing be due at this moment, which training went back to and has been at before."""
        self.before_step = self.images_seen

    def passed(self, every_images: float) -> bool:
        """Whether the last step reached or crossed a multiple of `every_images`."""
        return self.images_seen // every_images > self.before_step // every_images

    def label(self, every_images: float | None = None) -> str:
        """The name of this moment; with `every_images`, of the last multiple of it that was reached."""
        images = self.images_seen
        if every_images is not None:
            images = round(images // every_images * every_images)
        return kimg_label(images)

    @property
    def kimg(self) -> float:
        """Images seen, in thousands."""
        return self.images_seen / 1000

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {
            "images_seen": self.images_seen,
            "before_step": self.before_step,
            "position": self.position,
            "rounds": self.rounds,
            "updates": dict(self.updates),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` saved."""
        self.images_seen = int(state["images_seen"])
        self.before_step = int(state.get("before_step", self.images_seen))
        self.position = int(state["position"])
        self.rounds = int(state.get("rounds", 0))  # checkpoints from before schedules could count them
        self.updates = Counter({str(player): int(count) for player, count in state["updates"].items()})
