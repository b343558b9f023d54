"""The guard against gradients that are not finite, and what is done about a training that goes wrong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.errors import TrainingStopped
from ganlab.spec.model import GuardSection
from ganlab.training.collapse import CollapseWatch

_NAMED = 5


class NonFiniteGradient(Exception):
    """A player's gradient holds infinities or not-a-number; the message names the player and the terms."""


@dataclass(frozen=True)
class _Verdict:
    """What is not known yet of an update: whether it was left out, and the terms to report then."""

    player: str
    refused: Tensor
    terms: Mapping[str, Tensor]
    images_seen: int
    unsound: Sequence[str]


class Guard:
    """Decides what happens to an update whose gradient is not finite.

    `stop` ends the training. `skip` leaves the update out, at most `limit` times in a row for a player. `rollback`
    asks for the last checkpoint, at most `limit` times in a run; the stream of data and random numbers goes on, so
    that the same trap is not met again.

    On an accelerator nobody waits for the gradient's norm: the optimizer's step is left out on the device itself, and
    so is all that follows under `stop` and `rollback`, until `settle` looks, before anything is logged or saved.

    Each rollback multiplies all learning rates by `rate_factor`. `watch` looks for a collapse; what it has seen is
    saved with the rest.
    """

    def __init__(
        self,
        policy: str = "stop",
        limit: int = 5,
        waits_on: Container[str] = ("cpu",),
        rate_factor: float = 1.0,
        watch: CollapseWatch | None = None,
    ) -> None:
        self.policy = policy
        self.limit = limit
        self.rate_factor = rate_factor
        self.watch = watch or CollapseWatch(GuardSection())
        self.waits_on = waits_on  # kinds of devices that do not work ahead of their host
        self.skipped_in_a_row: Counter[str] = Counter()  # by player
        self.rollbacks = 0
        self.rollback_requested = ""
        self.unsound: Sequence[str] = ()  # examples of the step under way that hold values which are not finite
        self._skips: list[tuple[int, str]] = []
        self._verdicts: list[_Verdict] = []
        self._halted: Tensor | None = None

    def judge(
        self,
        player: str,
        norm: Tensor,
        terms: Mapping[str, Tensor],
        images_seen: int,
        optimizer: torch.optim.Optimizer,
        *,
        waits: bool = False,
    ) -> Tensor | Literal[True] | None:
        """Whether a step is to be left out: None for no, True for yes, or a flag on the device that `optimizer` heeds.

        `terms` are the player's, as means over the whole batch. With `waits`, what follows the step has to know.
        Raises as `settle` does.
        """
        if waits or norm.device.type in self.waits_on or not getattr(optimizer, "_step_supports_amp_scaling", False):
            self.settle()
            if math.isfinite(norm.item()):
                self.skipped_in_a_row[player] = 0
                _tell(optimizer, None)
                return None
            self._refuse(_Verdict(player, norm, terms, images_seen, self.unsound))
            return True
        refused = ~torch.isfinite(norm)
        if self.policy != "skip":
            refused = self._halted = refused if self._halted is None else refused | self._halted
        self._verdicts.append(_Verdict(player, refused, terms, images_seen, self.unsound))
        _tell(optimizer, refused)
        return refused

    def settle(self) -> None:
        """Look at the updates that nobody has waited for.

        Raises `NonFiniteGradient` where the last checkpoint is to be gone back to, `TrainingStopped` at the end of
        patience.
        """
        if not self._verdicts:
            return
        verdicts, self._verdicts, self._halted = self._verdicts, [], None
        for verdict, refused in zip(verdicts, torch.stack([v.refused for v in verdicts]).tolist(), strict=True):
            if refused:
                self._refuse(verdict)
            else:
                self.skipped_in_a_row[verdict.player] = 0

    def _refuse(self, verdict: _Verdict) -> None:
        player, images_seen, reason = verdict.player, verdict.images_seen, _describe(verdict)
        if self.policy == "skip" and self.skipped_in_a_row[player] < self.limit:
            self.skipped_in_a_row[player] += 1
            self._skips.append((images_seen, reason))
            return
        if self.policy == "rollback" and self.rollbacks < self.limit:
            raise NonFiniteGradient(reason)
        tried = {"skip": f" after {self.limit} skipped updates in a row", "rollback": f" after {self.limit} rollbacks"}
        raise TrainingStopped(
            f"{reason}; stopped{tried.get(self.policy, '')} (guard.non_finite: {self.policy}). The last checkpoint is "
            "kept. A lower learning rate, a stronger penalty or 'guard: {non_finite: rollback}' may help."
        )

    @contextmanager
    def slowing(self, optimizer: torch.optim.Optimizer) -> Iterator[None]:
        """Lower the learning rates for a step, by what the rollbacks so far ask for."""
        if self.rollbacks == 0 or self.rate_factor == 1:
            yield
            return
        rates = [group["lr"] for group in optimizer.param_groups]
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * self.rate_factor**self.rollbacks
        try:
            yield
        finally:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate

    def request_rollback(self, reason: str) -> None:
        """Ask whoever keeps the checkpoints for the last one."""
        self.rollbacks += 1
        self.rollback_requested = reason
        self._verdicts, self._halted = [], None

    def take_skips(self) -> list[tuple[int, str]]:
        """Updates that were left out since the last call: images seen, and why."""
        skips, self._skips = self._skips, []
        return skips

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {
            "skipped_in_a_row": dict(self.skipped_in_a_row),
            "rollbacks": self.rollbacks,
            "watch": self.watch.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` saved."""
        self.skipped_in_a_row = Counter(state["skipped_in_a_row"])
        self.rollbacks = int(state["rollbacks"])
        if "watch" in state:  # not in checkpoints from before there was one
            self.watch.load_state_dict(state["watch"])


def _tell(optimizer: torch.optim.Optimizer, refused: Tensor | None) -> None:
    """Fused optimizers leave a step out where this number, on their device, is not zero."""
    optimizer.found_inf = None if refused is None else refused.float()  # type: ignore[attr-defined]


def _describe(verdict: _Verdict) -> str:
    values = ", ".join(f"{name} = {value.item():.4g}" for name, value in verdict.terms.items())
    text = f"the gradient of the {verdict.player} is not finite at {verdict.images_seen} images (its terms: {values})"
    if not verdict.unsound:
        return text
    return f"{text}, and neither are the data: {', '.join(verdict.unsound[:_NAMED])} holds values that are not"
