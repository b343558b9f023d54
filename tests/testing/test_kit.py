"""Running all checks of a kind: those with nothing to look at are left out, and the others are made."""

from unittest import SkipTest

import pytest

from ganlab.testing import kit


def test_a_check_that_is_left_out_does_not_end_the_others(monkeypatch) -> None:
    made = []

    def nothing(name):
        raise SkipTest(f"{name} has nothing to look at")

    monkeypatch.setattr(kit, "checks_for", lambda kind: (nothing, made.append))
    kit.check_plugin("losses", "x")
    assert made == ["x"]
    monkeypatch.setattr(kit, "checks_for", lambda kind: (nothing, nothing))
    with pytest.raises(SkipTest, match="^x has nothing to look at$"):
        kit.check_plugin("losses", "x")
