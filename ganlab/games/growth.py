"""When a network grows: resolution, blend, batch size and learning rate as a pure function of the images seen."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganlab.errors import UserError

PerResolution = float | Mapping[int, float]
"""One number for all resolutions, or one for each."""

Rates = Mapping[int, float] | Mapping[int, float | Mapping[str, float]]
"""A learning rate for each resolution, of all players or by player."""


@dataclass(frozen=True)
class Stage:
    """What is trained at one moment.

    The larger side of images has `resolution` pixels. While `blend` is below 1, they are `blend` times those of the
    layers for this resolution plus 1 - `blend` times those of half of it, enlarged. `batch_size` and `learning_rate`
    are None where the experiment's own hold.
    """

    resolution: int
    blend: float = 1.0
    batch_size: int | None = None
    learning_rate: float | Mapping[str, float] | None = None

    def rate_of(self, player: str) -> float | None:
        """The learning rate of a player; None where its optimizer's own holds."""
        return self.learning_rate.get(player) if isinstance(self.learning_rate, Mapping) else self.learning_rate

    @property
    def fading(self) -> bool:
        """Whether layers for two resolutions are trained."""
        return self.blend < 1

    def uses_layers_of(self, other: Stage) -> bool:
        """Whether the same layers are trained in both stages."""
        return (self.resolution, self.fading) == (other.resolution, other.fading)


@dataclass(frozen=True)
class Growth:
    """The stages of a training.

    Each resolution is faded in for `fade` images and then trained alone for `stabilise` images, the first one without
    a fade and the last one to the end. Batch size and learning rate of a fade are those of the finer resolution.
    """

    resolutions: tuple[int, ...]
    fade: Mapping[int, float]
    stabilise: Mapping[int, float]
    batch_sizes: Mapping[int, int]
    learning_rates: Rates

    @property
    def complete_at(self) -> float:
        """Images seen when the last resolution has been faded in."""
        return sum(self.fade.values()) + sum(self.stabilise.values())

    @property
    def changes(self) -> list[int]:
        """Images seen when a resolution begins to be faded in, and when it has been, one after the other."""
        moments, moment = [], 0.0
        for coarser, finer in itertools.pairwise(self.resolutions):
            moment += self.stabilise[coarser]
            moments += [moment, moment + self.fade[finer]]
            moment += self.fade[finer]
        return [math.ceil(moment) for moment in moments]

    def stage(self, images_seen: float) -> Stage:
        """The stage of a training step that starts at `images_seen`."""
        begin, resolution = 0.0, self.resolutions[0]
        for finer in self.resolutions[1:]:
            following = begin + self.fade.get(resolution, 0.0) + self.stabilise[resolution]
            if images_seen < following:
                break
            begin, resolution = following, finer
        fade = self.fade.get(resolution, 0.0)
        blend = min((images_seen - begin) / fade, 1.0) if fade else 1.0
        return Stage(resolution, blend, self.batch_sizes.get(resolution), self.learning_rates.get(resolution))


def fixed(resolution: int, batch_sizes: Mapping[int, int], learning_rates: Rates) -> Growth:
    """No growth: the full network from the start. Entries for other resolutions wait for a growth through them."""
    smallest = resolution // (resolution & -resolution)  # halved as often as it can be
    for key, given in (("batch_sizes", batch_sizes), ("learning_rates", learning_rates)):
        _refuse_unreached(key, given, smallest, (resolution,))
    return Growth((resolution,), {}, {}, batch_sizes, learning_rates)


def plan(
    start: int,
    final: int,
    fade_kimg: PerResolution,
    stabilise_kimg: PerResolution,
    batch_sizes: Mapping[int, int],
    learning_rates: Rates,
) -> Growth:
    """Growth from `start` to `final`, doubling. Raises `UserError` for options that contradict each other."""
    resolutions = _doublings(start, final)
    for key, given in (
        ("fade_kimg", fade_kimg),
        ("stabilise_kimg", stabilise_kimg),
        ("batch_sizes", batch_sizes),
        ("learning_rates", learning_rates),
    ):
        _refuse_unreached(key, given, start, resolutions)
    if isinstance(fade_kimg, Mapping) and start in fade_kimg:
        raise UserError(
            f"'fade_kimg' has an entry for {start}, the first resolution, which is there from the start: remove it"
        )
    return Growth(
        resolutions,
        _images("fade_kimg", fade_kimg, resolutions[1:]),
        _images("stabilise_kimg", stabilise_kimg, resolutions[:-1]),
        batch_sizes,
        learning_rates,
    )


def _doublings(start: int, final: int) -> tuple[int, ...]:
    resolutions = [start]
    while resolutions[-1] < final:
        resolutions.append(resolutions[-1] * 2)
    if resolutions[-1] != final:
        allowed = [final]
        while allowed[0] % 2 == 0 and allowed[0] > 4:
            allowed.insert(0, allowed[0] // 2)
        problem = "is above" if start > final else "does not reach by doubling"
        raise UserError(
            f"'start_resolution' {start} {problem} the data's resolution {final}; choose one of "
            f"{_listing(allowed)}, or 'growth: none' for the full network from the start"
        )
    return tuple(resolutions)


def _refuse_unreached(key: str, given: float | Mapping[int, Any], start: int, resolutions: tuple[int, ...]) -> None:
    """Refuse entries for what no doubling of `start` reaches; those outside of this growth may wait for another."""
    reached = {start << doublings for doublings in range(20)}
    reached |= {start >> halvings for halvings in range(20) if start >> halvings << halvings == start} - {1, 2, 3}
    strange = sorted(set(given) - reached) if isinstance(given, Mapping) else []
    if strange:
        raise UserError(
            f"'{key}' has an entry for {strange[0]}, which is no resolution of this growth; it passes through "
            f"{_listing(resolutions)}"
        )


def _images(key: str, kimg: PerResolution, resolutions: tuple[int, ...]) -> dict[int, float]:
    """Thousands of images as images, for each of the resolutions."""
    if not isinstance(kimg, Mapping):
        kimg = dict.fromkeys(resolutions, kimg)
    missing = [resolution for resolution in resolutions if resolution not in kimg]
    if missing:
        raise UserError(
            f"'{key}' is too short: it has no entry for {_listing(missing)}; give one number for all, or one for each "
            f"of {_listing(resolutions)}"
        )
    # Rounded, because 0.024 * 1000 is not 24.
    return {resolution: round(kimg[resolution] * 1000, 3) for resolution in resolutions}


def _listing(resolutions: list[int] | tuple[int, ...]) -> str:
    return ", ".join(map(str, resolutions))
