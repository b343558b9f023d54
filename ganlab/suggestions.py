"""The nearest allowed spelling, for sentences about unknown words."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: object, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the allowed word nearest to `word`, or nothing when none is near."""
    import difflib

    spelled = {candidate.lower(): candidate for candidate in allowed}
    near = difflib.get_close_matches(str(word).lower(), spelled, n=1, cutoff=0.6)
    return f"; did you mean '{spelled[near[0]]}'?" if near else ""
