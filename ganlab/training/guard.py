"""The guard against gradients that are not finite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganlab.errors import TrainingStopped


class NonFiniteGradient(Exception):
    """A player's gradient holds infinities or not-a-number; the message names the player and the terms."""


class Guard:
    """Decides what happens to an update whose gradient is not finite.

    `stop` ends the training. `skip` leaves the update out, at most `limit` times in a row for a player. `rollback`
    asks for the last checkpoint, at most `limit` times in a run; the stream of data and random numbers goes on, so
    that the same trap is not met again.
    """

    def __init__(self, policy: str = "stop", limit: int = 5) -> None:
        self.policy = policy
        self.limit = limit
        self.skipped_in_a_row: Counter[str] = Counter()  # by player
        self.rollbacks = 0
        self.rollback_requested = ""

    def accept(self, player: str) -> None:
        """Note a finite gradient."""
        self.skipped_in_a_row[player] = 0

    def refuse(self, player: str, terms: Mapping[str, Tensor], images_seen: int) -> None:
        """Deal with a gradient that is not finite: returns when the update is to be skipped, raises otherwise.

        `terms` are the player's, as means over the whole batch.
        """
        reason = _describe(player, terms, images_seen)
        if self.policy == "skip" and self.skipped_in_a_row[player] < self.limit:
            self.skipped_in_a_row[player] += 1
            return
        if self.policy == "rollback" and self.rollbacks < self.limit:
            raise NonFiniteGradient(reason)
        tried = {"skip": f" after {self.limit} skipped updates in a row", "rollback": f" after {self.limit} rollbacks"}
        raise TrainingStopped(
            f"{reason}; stopped{tried.get(self.policy, '')} (guard.non_finite: {self.policy}). The last checkpoint is "
            "kept. A lower learning rate, a stronger penalty or 'guard: {non_finite: rollback}' may help."
        )

    def request_rollback(self, reason: str) -> None:
        """Ask whoever keeps the checkpoints for the last one."""
        self.rollbacks += 1
        self.rollback_requested = reason

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"skipped_in_a_row": dict(self.skipped_in_a_row), "rollbacks": self.rollbacks}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` saved."""
        self.skipped_in_a_row = Counter(state["skipped_in_a_row"])
        self.rollbacks = int(state["rollbacks"])


def _describe(player: str, terms: Mapping[str, Tensor], images_seen: int) -> str:
    values = ", ".join(f"{name} = {value.item():.4g}" for name, value in terms.items())
    return f"the gradient of the {player} is not finite at {images_seen} images (its terms: {values})"
