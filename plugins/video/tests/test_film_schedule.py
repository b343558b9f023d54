"""Windows and scales by the films seen."""

from __future__ import annotations

import pytest
from ganlab_video.film_schedule import FilmStage, film_schedule

from ganlab import UserError


def schedule(scales=3, finer=(0.02, 0.05), fixed=(0.01, 0.02), first=2, every=0.008):
    return film_schedule(6, 0, first, every, scales, finer, fixed)


def test_scales_join_are_fixed_for_a_while_and_windows_begin_anew():
    plan = schedule()
    stages = {
        0: (2, 1, False),
        7: (2, 1, False),
        8: (4, 1, False),
        16: (6, 1, False),
        19: (6, 1, False),
        20: (2, 2, True),
        29: (4, 2, True),
        30: (4, 2, False),
        49: (6, 2, False),
        50: (2, 3, True),
        70: (6, 3, False),
        9999: (6, 3, False),
    }
    assert {films: plan.stage(films) for films in stages} == {films: FilmStage(*of) for films, of in stages.items()}


def test_changes_are_the_moments_at_which_stages_differ():
    plan = schedule()
    expected = [0, *(films for films in range(1, 100) if plan.stage(films) != plan.stage(films - 1))]
    assert plan.changes(100) == expected
    assert plan.changes(10) == [0, 8]
    assert plan.novelties(100) == [0, 8, 16, 20, 30, 50, 70]


def test_without_moments_all_scales_are_there_from_the_start():
    plan = film_schedule(6, 0, None, None, 2, (), ())
    assert not plan.grows
    assert plan.stage(0) == plan.stage(10**6) == FilmStage(6, 2, False)
    assert plan.changes(100) == [0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"scales": 2}, "generator has 2 scales: give 1 and not 2"),
        ({"finer": (0.05, 0.02)}, "does not ascend"),
        ({"fixed": (0.01,)}, "give 2 numbers and not 1"),
    ],
)
def test_moments_that_do_not_fit_are_told(options, sentence):
    with pytest.raises(UserError, match=sentence):
        schedule(**options)
