"""Sizes, and which scale is trained when."""

import pytest
from ganlab_singan.scales import Plan, resized, sizes_of

from ganlab import UserError


def test_the_ends_are_met_by_a_factor_near_the_wanted_one():
    sizes = sizes_of((167, 250), 25, 0.75)
    assert (sizes[0], sizes[-1], len(sizes)) == ((25, 37), (167, 250), 8)  # as many as the authors' code has for them
    factors = [small[0] / large[0] for small, large in zip(sizes, sizes[1:], strict=False)]
    assert all(factor == pytest.approx((25 / 167) ** (1 / 7), abs=0.02) for factor in factors)


def test_the_number_of_scales_can_be_given():
    assert sizes_of((64, 48), 12, 0.75, scales=3) == ((16, 12), (32, 24), (64, 48))
    assert sizes_of((25, 40), 25, 0.75) == ((25, 40),)
    assert len(sizes_of((26, 40), 25, 0.75)) == 2  # both ends are there


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (((20, 60), 25, 0.75), "the smaller side of the picture has only 20 pixels"),
        (((50, 60), 25, 0.75, 1), "one scale has one size"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        sizes_of(*arguments)


def test_other_sizes_and_aspects_keep_the_steps():
    assert resized(((16, 12), (32, 24), (64, 48)), (32, 96)) == ((8, 24), (16, 48), (32, 96))


def test_each_scale_has_its_time_and_lower_rates_at_its_end():
    plan = Plan(3, 100, 0.8, 0.1)
    assert [plan.scale(seen) for seen in (0, 99, 100, 199, 200, 299, 5000)] == [0, 0, 1, 1, 2, 2, 2]
    assert [plan.rate(seen) for seen in (0, 79, 80, 99, 100, 180, 279, 280, 5000)] == [
        1,
        1,
        0.1,
        0.1,
        1,
        0.1,
        1,
        0.1,
        0.1,
    ]
    assert plan.complete_at == 300
