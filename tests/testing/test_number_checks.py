"""The checks of numeric options: what they take, and what they say of plugins that take too much."""

from __future__ import annotations

import pytest

from ganlab.testing import checks_for, number_checks

LOSSES = """\
from __future__ import annotations

import itertools
from typing import Annotated

from annotated_types import Ge, Gt, Le

from ganlab import Scheduled


class Loss:
    def discriminator(self, real_logits, fake_logits):
        return fake_logits.mean() - real_logits.mean()

    def generator(self, real_logits, fake_logits):
        return -fake_logits.mean()


class Plain(Loss):
    def __init__(self, pieces: int = 3, margins: tuple[float, int] = (1.0, 2), by_side: dict[int, float] | None = None):
        pass


class Bounded(Loss):
    def __init__(self, key: Annotated[int, Ge(0), Le(2**62)] = 0, share: Annotated[Scheduled, Gt(0), Le(1)] = 0.5):
        self.share = share


class Refusing(Loss):
    def __init__(self, pieces: int = 3):
        if pieces > 10:
            raise ValueError("'pieces' are at most 10")


class Unannotated(Loss):
    def __init__(self, pieces=3):
        pass


class Boundless(Loss):
    def __init__(self, margin: Annotated[float, Le(1e40)] = 1.0):
        pass


class Endless(Loss):
    def __init__(self, pieces: int = 3):
        for _ in range(pieces):
            next(itertools.count())
"""
PLUGINS = ("plain", "bounded", "refusing", "unannotated", "boundless", "endless")


@pytest.fixture
def losses(install):
    install(
        "ganlab-losses",
        {"losses": {n: f"losses_of_numbers:{n.title()}" for n in PLUGINS}},
        {"losses_of_numbers": LOSSES},
    )


def run(name: str) -> None:
    for check in checks_for("losses"):
        if check.__name__ in ("check_numbers", "check_bounds"):
            check(f"ganlab-losses/{name}")


@pytest.mark.parametrize("name", ["plain", "bounded", "refusing"])
def test_what_is_right_passes(losses, name):
    run(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("unannotated", "'pieces' has a number for a default and no annotation"),
        ("boundless", "'margin' takes 1e[+]30; annotate it with the numbers that it can mean"),
        ("endless", "'pieces: 1000000000' is accepted, and takes more than 0.2 seconds"),
    ],
)
def test_a_mistake_is_named(losses, monkeypatch, name, sentence):
    monkeypatch.setattr(number_checks, "SECONDS", 0.2)
    with pytest.raises(AssertionError, match=sentence):
        run(name)
