"""Means of neighbouring pixels against a convolution in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import conv2d

from ganlab.nn.smoothing import smooth


@pytest.mark.parametrize("grow", [True, False])
def test_it_is_a_convolution_with_four_quarters(grow: bool) -> None:
    images = torch.randn(2, 1, 5, 6, dtype=torch.float64)
    kernel = torch.full((1, 1, 2, 2), 0.25, dtype=torch.float64)
    torch.testing.assert_close(smooth(images, grow=grow), conv2d(images, kernel, padding=int(grow)))


@pytest.mark.parametrize("grow", [True, False])
def test_it_can_be_differentiated_twice(grow: bool) -> None:
    images = torch.randn(2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: smooth(x, grow=grow), images)
    assert torch.autograd.gradgradcheck(lambda x: smooth(x, grow=grow).square(), images)


def test_memory_order_stays() -> None:
    images = torch.randn(2, 4, 6, 6).to(memory_format=torch.channels_last).requires_grad_()
    smoothed = smooth(images, grow=True)
    (gradient,) = torch.autograd.grad(smoothed, images, torch.ones_like(smoothed))
    for found in (smoothed, gradient):
        assert found.is_contiguous(memory_format=torch.channels_last)
