from __future__ import annotations

import math

import pytest

from ganlab.schedules import parse_schedule


def test_linear_and_cosine_go_from_start_to_end_and_stay() -> None:
    linear = parse_schedule({"linear": [1.0, 0.0], "over_kimg": 10, "from_kimg": 5})
    assert [linear(images) for images in (0, 5000, 10_000, 15_000, 99_000)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    cosine = parse_schedule({"cosine": [0.1, 0.0], "over_kimg": 1})
    assert cosine(250) == pytest.approx(0.1 * (1 + math.cos(math.pi * 0.25)) / 2)


def test_steps_jump_at_their_kimg() -> None:
    steps = parse_schedule({"steps": {0: 0.1, 500: 0.01, 800: 0.001}})
    assert [steps(images) for images in (0, 499_999, 500_000, 10**7)] == [0.1, 0.1, 0.01, 0.001]


def test_points_are_joined_by_straight_lines() -> None:
    points = parse_schedule({"points": {0: 2.0, 10: 2.0, 20: 0.0, 21: 1.0}})
    assert [points(images) for images in (0, 10_000, 15_000, 20_000, 20_500, 99_000)] == [2.0, 2.0, 1.0, 0.0, 0.5, 1.0]


def test_rounds_are_counted_where_a_schedule_says_so() -> None:
    ramp = parse_schedule({"linear": [1.0, 0.0], "over_rounds": 10, "from_rounds": 5})
    assert [ramp(10**6, rounds) for rounds in (0, 5, 10, 15, 99)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    steps = parse_schedule({"steps": {0: 5e-4, 1600: 5e-5}, "in": "rounds"})
    assert [steps(10**6, rounds) for rounds in (0, 1599, 1600)] == [5e-4, 5e-4, 5e-5]


@pytest.mark.parametrize(
    "node",
    [
        {"linear": [1.0, 0.0]},
        {"linear": [1.0], "over_kimg": 1},
        {"linear": [1, 0], "over_kimg": 0},
        {"linear": [1, 0], "over_kimg": 1, "ovre_kimg": 1},
        {"linear": [1, 0], "cosine": [1, 0], "over_kimg": 1},
        {"steps": {5: 1.0}},
        {"steps": {0: 1.0}, "in": "epochs"},
        {"linear": [1, 0], "over_kimg": 1, "from_rounds": 1},
        {"linear": [1, 0], "from_rounds": 1},
        {"steps": [1, 2]},
        {"steps": {0: "x"}},
        {"points": {1: 1.0}},
        {"points": {0: 1.0}, "steps": {0: 1.0}},
    ],
)
def test_wrong_schedules_are_refused_with_a_sentence(node: dict) -> None:
    with pytest.raises(ValueError):
        parse_schedule(node)


@pytest.mark.parametrize(
    "node",
    [
        {"linear": [1.0, 0.5], "over_kimg": 3.0, "from_kimg": 1.0},
        {"cosine": [1.0, 0.5], "over_rounds": 3.0, "from_rounds": 1.0},
        {"steps": {0.0: 0.1, 5.0: 0.2}},
        {"steps": {0.0: 0.1, 1600.0: 0.2}, "in": "rounds"},
        {"points": {0.0: 0.1, 5.0: 0.2, 6.0: 0.1}},
    ],
)
def test_a_schedule_is_written_as_it_was_read(node: dict) -> None:
    schedule = parse_schedule(node)
    assert schedule.to_node() == node
    assert parse_schedule(schedule.to_node()) == schedule
