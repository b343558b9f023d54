from __future__ import annotations

import math

import torch
from ganlab_video.warping import chained, flow_back, warp
from torch.nn.functional import grid_sample


def by_hand(image, flow):
    """One image (C, H, W) looked up pixel by pixel, the nearest pixel outside."""
    channels, height, width = image.shape
    made = torch.empty_like(image)
    for row in range(height):
        for column in range(width):
            x = min(max(column + float(flow[0, row, column]), 0), width - 1)
            y = min(max(row + float(flow[1, row, column]), 0), height - 1)
            left, top = math.floor(x), math.floor(y)
            right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
            across, down = x - left, y - top
            above = image[:, top, left] * (1 - across) + image[:, top, right] * across
            below = image[:, bottom, left] * (1 - across) + image[:, bottom, right] * across
            made[:, row, column] = above * (1 - down) + below * down
    assert channels == made.shape[0]
    return made


def test_every_pixel_is_looked_up_where_its_flow_points():
    torch.manual_seed(0)
    images, flow = torch.randn(2, 3, 5, 7, dtype=torch.float64), torch.randn(2, 2, 5, 7, dtype=torch.float64) * 3
    expected = torch.stack([by_hand(image, to) for image, to in zip(images, flow, strict=True)])
    assert torch.allclose(warp(images, flow), expected, atol=1e-12)


def test_it_is_torchs_grid_sample_in_the_authors_coordinates():
    torch.manual_seed(1)
    images, flow = torch.randn(2, 1, 6, 9), torch.randn(2, 2, 6, 9)
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 6), torch.linspace(-1, 1, 9), indexing="ij")
    grid = torch.stack([columns + flow[:, 0] / 4, rows + flow[:, 1] / 2.5], dim=-1)
    expected = grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=True)
    assert torch.allclose(warp(images, flow), expected, atol=1e-5)


def test_gradients_reach_images_and_flow():
    torch.manual_seed(2)
    images = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    flow = (torch.rand(1, 2, 4, 5, dtype=torch.float64) * 0.8 + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(warp, (images, flow))


def test_flows_of_several_steps_lead_where_the_steps_lead():
    torch.manual_seed(3)
    images = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    step, before = torch.zeros(2, 1, 3, 8, 8, dtype=torch.float64)
    step[:, 0], step[:, 2] = 1, 1  # one to the right
    before[:, 1], before[:, 2] = 2, 1  # two down
    before[0, 2, 0, 3] = 0  # nobody knows about this pixel
    both = chained(step, before)
    assert torch.allclose(warp(images, both[:, :2]), warp(warp(images, before[:, :2]), step[:, :2]))
    assert both[0, 2, 0, 2] == 0
    assert both[0, 2].sum() == 63
    flows = torch.stack([before, step, step, before], dim=1)
    three = flow_back(flows, 3, 3)
    assert torch.allclose(three[:, 0], torch.full((1, 8, 8), 2.0, dtype=torch.float64))
    assert torch.allclose(three[:, 1], torch.full((1, 8, 8), 2.0, dtype=torch.float64))
