"""What counts as a collapse, line by line, and what does not."""

from __future__ import annotations

import pytest

from ganlab.spec.model import GuardSection
from ganlab.training.collapse import FAKES, WEIGHTS, WON, CollapseWatch, Line, Look

ROUNDS_A_LINE = 50


def watch_of(**options) -> CollapseWatch:
    watch = CollapseWatch(GuardSection(**options))
    watch.begin({"generator": 2.0, "discriminator": 1.0})
    return watch


def line(number: int, ignorance: float | None = 1.386, **values: float) -> Line:
    named = {name.replace("__", "/"): value for name, value in values.items()}
    return Line(number * 1000, number * ROUNDS_A_LINE, named, ignorance, {"generator": "first"})


def verdicts(watch: CollapseWatch, lines) -> list:
    return [found for found in map(watch.judge, lines) if found]


def test_a_discriminator_whose_loss_stays_at_nothing_has_won() -> None:
    watch = watch_of()
    healthy = [line(n, discriminator__loss=0.5, logits__real=1.0, logits__fake=-1.0) for n in range(1, 4)]
    won = [
        line(
            n,
            discriminator__loss=0.01,
            logits__real=9.0,
            logits__fake=-12.0,
            logits__trained=8.5,
            logits__held_out=2.25,
        )
        for n in range(4, 12)
    ]
    (found,) = verdicts(watch, [*healthy, *won])
    assert found.kind == WON
    assert found.sound_until == 3000
    assert found.reason == (
        "the discriminator has won: its loss is 0.01, where one that knows nothing has 1.39; logits of reals are 9, of "
        "fakes -12, of held-out reals 2.25 against 8.5 at 6000 images"
    )


def test_a_short_victory_is_none_and_a_second_one_is_told_again() -> None:
    watch, low, high = watch_of(), {"discriminator__loss": 0.01}, {"discriminator__loss": 0.5}
    assert verdicts(watch, [line(1, **low), line(2, **low), line(3, **high), line(4, **low), line(5, **low)]) == []
    again = [*[line(n, **low) for n in range(6, 10)], line(10, **high), *[line(n, **low) for n in range(11, 16)]]
    assert [found.sound_until for found in verdicts(watch, again)] == [3000, 10000]


def test_many_lines_within_few_rounds_are_not_enough() -> None:
    lines = [Line(n, n, {"discriminator/loss": 0.0}, 1.386) for n in range(50)]
    assert verdicts(watch_of(), lines) == []


def test_a_critic_has_won_when_its_logits_run_away() -> None:
    values = [{"discriminator__loss": -gap, "logits__real": gap, "logits__fake": 0.0} for gap in (10.0, 900.0)]
    near = [line(n, None, **v) for n, v in enumerate(values * 3, start=1)]
    assert verdicts(watch_of(), near) == []
    (found,) = verdicts(watch_of(), [line(n, None, logits__real=4000.0, logits__fake=-9.0) for n in range(1, 6)])
    assert found.kind == WON
    assert "logits of reals are 4e+03, of fakes -9" in found.reason


def test_weights_that_grow_fast_explode_and_those_that_grow_slowly_do_not() -> None:
    slow = [line(n, weights__generator=2.0 + n, weights__discriminator=1.0) for n in range(1, 200)]
    assert verdicts(watch_of(), slow) == []
    fast = [line(n, weights__generator=2.0 * 1.5**n, weights__discriminator=1.0) for n in range(1, 14)]
    (found,) = verdicts(watch_of(), fast)
    assert found.kind == WEIGHTS
    assert found.sound_until == 7000
    assert "weights of the generator explode: the largest singular value of 'first' is 115, 58 times" in found.reason
    assert found.reason.endswith("the largest at the start, 2 at 10000 images")


def test_fakes_that_were_different_and_are_alike_have_collapsed() -> None:
    watch = watch_of()
    looks = [Look(1000 * n, spread, young=True) for n, spread in enumerate((0.05, 0.6, 0.55, 0.1, 0.08, 0.07), start=1)]
    found = [watch.judge(line(5 * n), look) for n, look in enumerate(looks, start=1)]
    assert [verdict and verdict.kind for verdict in found] == [None, None, None, None, FAKES, None]
    assert found[4].sound_until == 3000
    assert (
        found[4].reason
        == "fakes have collapsed: their spread is 0.080 of that of reals, and was 0.60 before at 25000 images"
    )


def test_fakes_that_have_always_been_alike_have_collapsed_when_the_training_is_no_longer_young() -> None:
    watch = watch_of()
    young = [watch.judge(line(5 * n), Look(1000 * n, 0.05, young=True)) for n in range(1, 5)]
    assert young == [None] * 4
    old = [watch.judge(line(5 * n), Look(1000 * n, 0.05, young=False)) for n in range(5, 8)]
    assert [verdict and verdict.kind for verdict in old] == [None, FAKES, None]


def test_the_same_look_counts_once() -> None:
    watch, look = watch_of(), Look(1000, 0.01, young=False)
    assert [watch.judge(line(n), look) for n in range(1, 9)] == [None] * 8


def test_an_interrupted_watch_goes_on_where_it_was() -> None:
    lines = [
        (line(n, discriminator__loss=0.01, weights__generator=1.4**n, weights__discriminator=1.0), None)
        for n in range(1, 20)
    ]
    whole, first = watch_of(), watch_of()
    expected = [whole.judge(*given) for given in lines]
    found = [first.judge(*given) for given in lines[:5]]
    second = CollapseWatch(GuardSection())
    second.load_state_dict(first.state_dict())
    assert found + [second.judge(*given) for given in lines[5:]] == expected
    assert sum(verdict is not None for verdict in expected) == 2
    assert second.state_dict() == whole.state_dict()


@pytest.mark.parametrize("key", ["least_spread", "least_loss", "most_growth"])
def test_every_limit_can_be_set(key) -> None:
    watch = watch_of(**{key: {"least_spread": 0.0, "least_loss": 0.0, "most_growth": 1e9}[key]})
    given = {"discriminator__loss": 1e-9, "weights__generator": 1e6, "weights__discriminator": 1.0}
    kinds = {
        found.kind
        for n in range(1, 9)
        if (found := watch.judge(line(n, **given), Look(n, 0.0, young=False))) is not None
    }
    assert {"least_spread": FAKES, "least_loss": WON, "most_growth": WEIGHTS}[key] not in kinds
