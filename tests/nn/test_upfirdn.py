"""Resampling against a sum over taps in float64, its gradients against numerical ones, and what the filters keep."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from ganlab.nn.upfirdn import Resampler, upfirdn

from .double_gradients import nodes

CASES = [
    (1, 1, (0, 0), 1),
    (2, 1, (2, 1), 4),
    (1, 2, (1, 1), 4),
    (1, 1, (1, 1), 4),
    (3, 2, (2, 4), 5),
    (2, 3, (0, 3), 2),
    (2, 2, (-1, 2), 3),
    (1, 2, (1, -1), 3),
]
cases = pytest.mark.parametrize(("up", "down", "padding", "count"), CASES)


def reference(images, taps, up, down, padding, gain):
    """The definition, pixel by pixel: y[m] = sum over t of h[t] x[m * down + k - 1 - t], for each axis."""

    def matrix(size):
        rows = (size * up + sum(padding) - len(taps)) // down + 1
        result = torch.zeros(rows, size, dtype=torch.float64)
        for row in range(rows):
            for tap, value in enumerate(taps):
                place = row * down + len(taps) - 1 - tap - padding[0]
                if place % up == 0 and 0 <= place // up < size:
                    result[row, place // up] += value
        return result

    return gain * torch.einsum("ih,nchw,jw->ncij", matrix(images.shape[2]), images, matrix(images.shape[3]))


def made(count, height=6, width=5, channels=3):
    generator = torch.Generator().manual_seed(count)
    images = torch.randn(2, channels, height, width, generator=generator, dtype=torch.float64)
    return images, torch.randn(count, generator=generator, dtype=torch.float64)


@cases
def test_it_is_the_sum_over_taps(up, down, padding, count):
    images, taps = made(count)
    expected = reference(images, taps, up, down, padding, 1.7)
    torch.testing.assert_close(upfirdn(images, taps, up, down, padding, 1.7), expected)
    in_order = images.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(upfirdn(in_order, taps, up, down, padding, 1.7).contiguous(), expected)
    torch.testing.assert_close(
        upfirdn(images.bfloat16(), taps, up, down, padding, 1.7).double(), expected, rtol=0.1, atol=0.1
    )


@cases
def test_gradients_of_any_order_are_right(up, down, padding, count):
    images, taps = made(count)
    images.requires_grad_()

    def filtered(x):
        return upfirdn(x, taps, up, down, padding)

    assert gradcheck(filtered, images, fast_mode=True)
    assert gradgradcheck(filtered, images, fast_mode=True)
    # The third: of a penalty's gradient.
    (first,) = torch.autograd.grad(filtered(images).pow(3).sum(), images, create_graph=True)
    (second,) = torch.autograd.grad(first.pow(2).sum(), images, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), images)
    x = images.detach().requires_grad_()
    expected = reference(x, taps, up, down, padding, 1.0)
    (one,) = torch.autograd.grad(expected.pow(3).sum(), x, create_graph=True)
    (two,) = torch.autograd.grad(one.pow(2).sum(), x, create_graph=True)
    torch.testing.assert_close(third, *torch.autograd.grad(two.sum(), x))


def test_no_gradient_is_a_transposed_convolution():
    images = made(4)[0].requires_grad_()
    (slope,) = torch.autograd.grad(Resampler().double().down(images).square().sum(), images, create_graph=True)
    assert not {name for name in nodes(slope) if "Convolution" in name}


@pytest.mark.parametrize("taps", [(1.0, 3.0, 3.0, 1.0), (1.0, 1.0), (1.0, 2.0, 1.0), (1.0, 5.0, 10.0, 10.0, 5.0, 1.0)])
def test_constant_images_stay_what_they_are_inside(taps):
    resampler, images = Resampler(taps).double(), torch.ones(1, 2, 12, 16, dtype=torch.float64)
    larger, smaller = resampler.up(images), resampler.down(images)
    assert (larger.shape, smaller.shape) == ((1, 2, 24, 32), (1, 2, 6, 8))
    again = resampler.down(larger)
    assert again.shape == images.shape
    inside = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(again[inside], images[inside])
    torch.testing.assert_close(smaller[..., 2:-2, 2:-2], torch.ones(1, 2, 2, 4, dtype=torch.float64))
    if len(taps) % 2:
        torch.testing.assert_close(resampler.smooth(images)[inside], images[inside])
    else:
        with pytest.raises(AssertionError, match="half a pixel"):
            resampler.smooth(images)


def test_sizes_beside_strided_convolutions():
    resampler = Resampler()
    assert resampler.after_transposed(torch.zeros(1, 1, 9, 13)).shape == (1, 1, 8, 12)
    assert resampler.before_strided(torch.zeros(1, 1, 8, 12)).shape == (1, 1, 9, 13)
    # The filter is centred in both: up and down mirror each other.
    x = torch.randn(1, 1, 8, 12)
    torch.testing.assert_close(resampler.up(x.flip(2, 3)), resampler.up(x).flip(2, 3))
    torch.testing.assert_close(resampler.before_strided(x.flip(2, 3)), resampler.before_strided(x).flip(2, 3))


def test_autocast_filters_in_its_type_and_the_filter_is_no_state():
    resampler, images = Resampler(), torch.randn(1, 2, 8, 8).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        output = resampler.down(images)
    assert output.dtype == torch.bfloat16
    output.float().sum().backward()
    assert images.grad.dtype == torch.float32
    assert not resampler.state_dict()


def test_taps_of_one_axis():
    with pytest.raises(AssertionError, match="along one axis"):
        upfirdn(torch.zeros(1, 1, 4, 4), torch.ones(2, 2))
