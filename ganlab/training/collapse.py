"""Whether a training goes wrong, from what its log tells: fakes that look alike, a discriminator that has won, weights
that explode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ganlab.spec.model import GuardSection
from ganlab.training.singular_values import SingularValues

FAKES, WON, WEIGHTS = "collapsed fakes", "discriminator has won", "exploding weights"
_LINES = 3  # of the log, or looks at the diversity less one, for which something has to last
_ROUNDS = 100  # of the game, as well
_WINDOW = 10  # lines, in which exploding weights at least double
_SOUND_SPREAD = 2.0  # times the least one: fakes that were so different were not young any more
_HUGE_GAP = 1000.0  # between logits of reals and fakes, where the loss has no bounds to tell


@dataclass(frozen=True)
class Verdict:
    """What went wrong, in a sentence with its figures, and the last moment, in images seen, without a sign of it."""

    kind: str
    reason: str
    sound_until: int


@dataclass
class _Suspicion:
    """For how many lines, and from which round on, there has been a sign; when there was none for the last time."""

    lines: int = 0
    since_round: int = 0
    sound_until: int = 0
    told: bool = False

    def note(self, sign: bool, moment: int, rounds: int) -> None:
        if not sign:
            self.lines, self.sound_until, self.told = 0, moment, False
            return
        if not self.lines:
            self.since_round = rounds
        self.lines += 1

    def lasts(self, rounds: int, lines: int = _LINES) -> bool:
        return self.lines >= lines and rounds - self.since_round >= _ROUNDS


@dataclass(frozen=True)
class Line:
    """One line of the log: its moment in images seen and rounds, its values, and what a loss of no knowledge is.

    `layers` names the layer of the largest singular value of each player.
    """

    moment: int
    rounds: int
    values: Mapping[str, float]
    ignorance: float | None = None
    layers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """A look at the fakes: when, how different they are in units of the reals, and whether they may be alike still."""

    moment: int
    spread: float
    young: bool


class CollapseWatch:
    """Keeps what it has seen, as plain values and tensors for checkpoints, and judges line by line.

    Fakes have collapsed when their spread, against that of reals, is below `least_spread` at two looks, where it was
    once twice as large or the training is no longer young. The discriminator has won when its loss is below
    `least_loss` times that of logits of 0, or, where a loss has no such scale, when the logits of reals and fakes are
    1,000 apart. Weights explode when the largest singular value of a player's is `most_growth` times what it was at
    the start, and has doubled within ten lines. The latter two have to last for three lines, all for 100 rounds.
    """

    def __init__(self, section: GuardSection) -> None:
        self.section = section
        self.singular_values = SingularValues()
        self._suspicions = {kind: _Suspicion() for kind in (FAKES, WON, WEIGHTS)}
        self._first: dict[str, float] = {}  # largest singular value by player
        self._recent: dict[str, list[float]] = {}
        self._widest = 0.0
        self._looked_at = -1

    @property
    def sound_until(self) -> int:
        """The last moment, in images seen, without a sign of anything."""
        return min(suspicion.sound_until for suspicion in self._suspicions.values())

    @property
    def has_begun(self) -> bool:
        """Whether it knows how large weights were at the start, or since it first watched."""
        return bool(self._first)

    def begin(self, largest: Mapping[str, float]) -> None:
        """Take the largest singular values of the players' weights at the start."""
        self._first = dict(largest)
        self._recent = {player: [value] for player, value in largest.items()}

    def judge(self, line: Line, look: Look | None = None) -> Verdict | None:
        """Take in a line, and the newest look at the fakes, if there are any; the first finding, if there is one.

        What was found already is not found again before a line without a sign of it.
        """
        signs = {WON: self._won(line), WEIGHTS: self._explode(line)}
        for kind, sign in signs.items():
            self._suspicions[kind].note(bool(sign), line.moment, line.rounds)
        if look is None:
            self._suspicions[FAKES].note(False, line.moment, line.rounds)
        elif look.moment > self._looked_at:
            self._looked_at = look.moment
            signs[FAKES] = self._alike(look)
            self._suspicions[FAKES].note(bool(signs[FAKES]), look.moment, line.rounds)
        for kind, sign in signs.items():
            suspicion = self._suspicions[kind]
            if sign and not suspicion.told and suspicion.lasts(line.rounds, _LINES - (kind == FAKES)):
                suspicion.told = True
                return Verdict(kind, f"{sign} at {line.moment} images", suspicion.sound_until)
        return None

    def _alike(self, look: Look) -> str | None:
        before, self._widest = self._widest, max(self._widest, look.spread)
        least = self.section.least_spread
        if look.spread >= least or (look.young and before < _SOUND_SPREAD * least):
            return None
        was = f", and was {before:.2f} before" if before > look.spread else ""
        return f"fakes have collapsed: their spread is {look.spread:.3f} of that of reals{was}"

    def _won(self, line: Line) -> str | None:
        values = line.values
        real, fake = values.get("logits/real"), values.get("logits/fake")
        told = "" if real is None or fake is None else f"; logits of reals are {real:.3g}, of fakes {fake:.3g}"
        if "logits/held_out" in values:
            told += f", of held-out reals {values['logits/held_out']:.3g} against {values['logits/trained']:.3g}"
        loss = values.get("discriminator/loss")
        if line.ignorance is None:
            apart = real is not None and fake is not None and real - fake > _HUGE_GAP
            return f"the discriminator has won: its loss has no bounds, and neither has it{told}" if apart else None
        if loss is None or loss >= self.section.least_loss * line.ignorance:
            return None
        return (
            f"the discriminator has won: its loss is {loss:.3g}, where one that knows nothing has "
            f"{line.ignorance:.3g}{told}"
        )

    def _explode(self, line: Line) -> str | None:
        found = None
        for player, first in self._first.items():
            now = line.values.get(f"weights/{player}")
            if now is None or not first:
                continue
            recent = self._recent[player]
            if now >= self.section.most_growth * first and now >= 2 * recent[0]:
                found = (
                    f"weights of the {player} explode: the largest singular value of '{line.layers.get(player)}' is "
                    f"{now:.3g}, {now / first:.0f} times the largest at the start, {first:.3g}"
                )
            self._recent[player] = [*recent, now][-_WINDOW:]
        return found

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors for a checkpoint."""
        return {
            "first": dict(self._first),
            "recent": {player: list(values) for player, values in self._recent.items()},
            "widest": self._widest,
            "looked_at": self._looked_at,
            "suspicions": {
                kind: {part.name: getattr(suspicion, part.name) for part in fields(suspicion)}
                for kind, suspicion in self._suspicions.items()
            },
            "vectors": self.singular_values.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` saved."""
        self._first = dict(state["first"])
        self._recent = {player: list(values) for player, values in state["recent"].items()}
        self._widest = float(state["widest"])
        self._looked_at = int(state["looked_at"])
        self._suspicions = {kind: _Suspicion(**values) for kind, values in state["suspicions"].items()}
        self.singular_values.load_state_dict(state["vectors"])
