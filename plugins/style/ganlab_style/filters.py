"""Filters and options that both networks check alike."""

from __future__ import annotations

from collections.abc import Sequence

from ganlab.errors import UserError
from ganlab.nn import Resampler


def resampler_of(taps: Sequence[float], option: str) -> Resampler:
    """The resampler of some taps. Raises `UserError`, naming the option, for too few."""
    if len(taps) < 2:
        raise UserError(f"'{option}' has {len(taps)} taps; give at least two, such as [1, 3, 3, 1]")
    return Resampler(taps)


def smoother_of(taps: Sequence[float] | None, option: str) -> Resampler | None:
    """What smooths by some taps, if there are any. Raises `UserError`, naming the option, for an even number."""
    if taps is None:
        return None
    if len(taps) % 2 == 0:
        raise UserError(
            f"'{option}' has {len(taps)} taps, which would move images by half a pixel; give an odd number, such as "
            "[1, 2, 1]"
        )
    return Resampler(taps)


def check_growing(growing: bool, connections: str) -> None:
    """Raise `UserError` where connections have no use for layers of every level's own images."""
    if growing and connections != "original":
        raise UserError(
            f"'growing' is for 'connections: original', and these are '{connections}': leave one of them out"
        )
