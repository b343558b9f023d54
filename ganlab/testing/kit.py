"""All checks, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from unittest import SkipTest

from ganlab.kinds import KINDS, referred
from ganlab.testing.number_checks import bounds_check, numbers_check

Check = Callable[[str], None]


def checks_for(kind: str) -> tuple[Check, ...]:
    """The checks of a kind, as its record names them, and those of all kinds; each takes the plugin's name."""
    return (*map(referred, KINDS[kind].checks), numbers_check(kind), bounds_check(kind))


CHECKS: Mapping[str, tuple[Check, ...]] = {kind: checks_for(kind) for kind in KINDS}
"""All checks, by kind."""


def check_plugin(kind: str, name: str) -> None:
    """Run all checks of a kind on an installed plugin; the first that fails raises `AssertionError`.

    A check that has nothing to look at is left out. Raises `unittest.SkipTest` if all of them are.
    """
    left_out = []
    checks = checks_for(kind)
    for check in checks:
        try:
            check(name)
        except SkipTest as skipped:
            left_out.append(str(skipped))
    if checks and len(left_out) == len(checks):
        raise SkipTest("; ".join(dict.fromkeys(left_out)))
