from __future__ import annotations

import torch
from ganlab_datasets.moving_digits import MovingDigits
from torch.nn.functional import grid_sample

from ganlab.data.opening import Wishes, arrange
from ganlab.data.report import report_on


def warped(frames, flow):
    """Frames (T, C, H, W) seen at the places that a flow (T, 2, H, W) in pixels points at."""
    side = frames.shape[-1]
    along = torch.arange(side, dtype=torch.float64)
    right, down = torch.meshgrid(along, along, indexing="xy")
    places = torch.stack([right + flow[:, 0], down + flow[:, 1]], dim=-1)
    return grid_sample(frames, (places * 2 + 1) / side - 1, align_corners=False, padding_mode="border")


def test_the_frame_before_moved_by_the_flow_is_the_frame():
    data = MovingDigits(resolution=64, frames=6, size=5)
    errors = []
    for index in range(5):
        film = data[index]
        frames, flow = film["images"].double(), film["flow"].double()
        known = flow[1:, 2:]
        assert 0.6 < known.mean() < 1
        moved = known * (flow[1:, :2].abs().sum(1, keepdim=True) > 0)
        by_flow = ((warped(frames[:-1], flow[1:, :2]) - frames[1:]).abs() * moved).sum() / (3 * moved.sum())
        as_it_was = ((frames[:-1] - frames[1:]).abs() * moved).sum() / (3 * moved.sum())
        errors.append((float(by_flow), float(as_it_was)))
    assert sum(by for by, _ in errors) < 0.25 * sum(was for _, was in errors)
    assert max(by for by, _ in errors) < 6, errors


def test_without_turns_a_digit_moves_by_one_vector_and_the_ground_not_at_all():
    data = MovingDigits(resolution=32, frames=4, digits=1, size=3, turn=0.0, speed=1.5)
    film = data[1]
    places = data._film(1).places[:, 0]
    for frame in range(1, 4):
        on_digit = film["label_map"][frame, 0] > 0
        expected = places[frame - 1] - places[frame]
        assert torch.allclose(
            film["flow"][frame, :2, on_digit], expected[:, None].expand(2, int(on_digit.sum())), atol=1e-4
        )
        assert not film["flow"][frame, :2, ~on_digit].any()


def test_nothing_is_known_before_the_first_frame_nor_of_what_was_hidden():
    data = MovingDigits(resolution=32, frames=5, digits=3, size=8, speed=4.0)
    flows = torch.stack([data[index]["flow"] for index in range(8)])
    maps = torch.stack([data[index]["label_map"] for index in range(8)])
    assert not flows[:, 0].any()
    uncovered = (maps[:, 1:, 0] == 0) & (maps[:, :-1, 0] > 0)  # ground where a digit was
    assert uncovered.any()
    assert not flows[:, 1:, 2][uncovered].any()


def test_films_are_functions_of_their_number_and_sound():
    data = MovingDigits(resolution=16, frames=3, size=40)
    assert torch.equal(data.take([7, 3])["images"][0], MovingDigits(resolution=16, frames=3, size=40)[7]["images"])
    assert not torch.equal(data[7]["images"], data[8]["images"])
    assert len({int(digit) for index in range(40) for digit in data[index]["label_map"].unique()}) == 11
    assert not report_on(arrange(data, Wishes(holdout=0.1))).problems
