"""How long the windows of films are, and how many scales draw them, as a pure function of the films seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganlab import UserError


@dataclass(frozen=True)
class FilmStage:
    """What is trained at one moment: windows of `frames` frames, by the `scales` coarsest networks.

    With `fixed` only the finest of these learns.
    """

    frames: int
    scales: int
    fixed: bool


@dataclass(frozen=True)
class FilmSchedule:
    """The stages of a training; times are films seen.

    Finer scales join at the moments `joins`, and the coarser ones are fixed for as many films after that as `fixed`
    says for each. With each of them windows begin with `first` frames again, and become twice as long `every` so many.
    """

    frames: int
    first: int
    every: float | None
    scales: int
    joins: tuple[float, ...] = ()
    fixed: tuple[float, ...] = ()

    @property
    def grows(self) -> bool:
        """Whether there are finer scales that join later."""
        return bool(self.joins)

    def stage(self, films: float) -> FilmStage:
        """The stage of a training step that starts after so many films."""
        joined = sum(moment <= films for moment in self.joins)
        since = self.joins[joined - 1] if joined else 0.0
        free_at = since + self.fixed[joined - 1] if joined else 0.0
        doublings = int((films - since) // self.every) if self.every else 0
        length = min(self.frames, self.first << min(doublings, self.frames.bit_length()))
        return FilmStage(length, self.scales - len(self.joins) + joined, films < free_at)

    def changes(self, films: int) -> list[int]:
        """When the stages of a training of so many films begin: 0, and later moments."""
        moments = {0.0, *self.joins, *map(sum, zip(self.joins, self.fixed, strict=True))}
        if self.every:
            longest = self.frames.bit_length() + 1
            moments |= {start + self.every * times for start in (0.0, *self.joins) for times in range(longest)}
        begins = sorted({math.ceil(moment) for moment in moments if math.ceil(moment) < films or not moment})
        return [now for before, now in zip([None, *begins], begins, strict=False) if self._differs(before, now)]

    def novelties(self, films: int) -> list[int]:
        """Of the changes, those with windows of a new length, or with other scales that draw or learn."""
        seen: set[object] = set()
        found = []
        for moment in self.changes(films):
            stage = self.stage(moment)
            kinds = {("frames", stage.frames), ("scales", stage.scales, stage.fixed)}
            found += [] if kinds <= seen else [moment]
            seen |= kinds
        return found

    def _differs(self, before: int | None, now: int) -> bool:
        return before is None or self.stage(before) != self.stage(now)


def film_schedule(
    frames: int,
    given: int,
    first_length: int | None,
    doubled_every_kimg: float | None,
    scales: int,
    finer_kimg: Sequence[float],
    fixed_kimg: Sequence[float],
) -> FilmSchedule:
    """The schedule of options, for data of so many frames of which some are given.

    Raises `UserError` for windows that the data do not have, and for scales that the generator has not.
    """
    _check_lengths(first_length, doubled_every_kimg, frames, given)
    _check_scales(scales, finer_kimg, fixed_kimg)
    every = 1000 * doubled_every_kimg if doubled_every_kimg else None
    joins, fixed = (tuple(round(1000 * kimg, 3) for kimg in each) for each in (finer_kimg, fixed_kimg))
    return FilmSchedule(frames, first_length or frames, every, scales, joins, fixed or (0.0,) * len(joins))


def _check_lengths(first: int | None, every: float | None, frames: int, given: int) -> None:
    if (first is None) != (every is None):
        raise UserError("'first_length' and 'doubled_every_kimg' belong together: give both or neither")
    least = frames if first is None else first
    if least > frames:
        raise UserError(
            f"'first_length: {least}' is more than the {frames} frames of the data's sequences: take fewer, or set "
            "'data.frames' to more"
        )
    if least <= given:
        raise UserError(
            f"with 'first_frame: given' the first {given} frames are given, so that windows of {least} leave nothing "
            "to make: take longer ones"
        )


def _check_scales(scales: int, finer: Sequence[float], fixed: Sequence[float]) -> None:
    if fixed and len(fixed) != len(finer):
        raise UserError(
            f"'fixed_kimg' says for how long coarser scales are fixed after each moment of 'finer_kimg', which has "
            f"{len(finer)}: give {len(finer)} numbers and not {len(fixed)}, or none"
        )
    if finer and len(finer) != scales - 1:
        raise UserError(
            f"'finer_kimg' has a moment for each finer scale, and the generator has {scales} scales: give "
            f"{scales - 1} and not {len(finer)}, or set the generator's 'scales' to {len(finer) + 1}"
        )
    if any(after <= before for before, after in zip(finer, finer[1:], strict=False)):
        raise UserError(f"'finer_kimg' says when scales join, one after the other, and {list(finer)} does not ascend")
