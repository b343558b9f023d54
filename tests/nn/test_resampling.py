"""Folded convolutions against the two operations that they stand for, in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d, conv2d, interpolate
from torch.utils.flop_counter import FlopCounterMode

from ganlab.nn.resampling import Resample, ResamplingConv2d, conv2d_downsample, folds, upsample_conv2d


@pytest.mark.parametrize("side", [1, 3, 5])
def test_folded_convolutions_are_exact(side: int) -> None:
    torch.manual_seed(0)
    images, weight = torch.randn(2, 3, 6, 8).double(), torch.randn(4, 3, side, side).double()
    bias, padding = torch.randn(4).double(), side // 2
    enlarged = conv2d(interpolate(images, scale_factor=2.0), weight, bias, padding=padding)
    torch.testing.assert_close(upsample_conv2d(images, weight, bias), enlarged, rtol=1e-12, atol=1e-12)
    reduced = avg_pool2d(conv2d(images, weight, bias, padding=padding), 2)
    torch.testing.assert_close(conv2d_downsample(images, weight, bias), reduced, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", [1, 3])
@pytest.mark.parametrize("function", [upsample_conv2d, conv2d_downsample])
def test_they_can_be_differentiated_twice(function, side: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 2, side, side, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, (images, weight))
    assert torch.autograd.gradgradcheck(function, (images, weight))


@pytest.mark.parametrize("resample", ["up", "down"])
def test_layer_is_the_same_fused_or_not(resample: str) -> None:
    fused, plain = (ResamplingConv2d(3, 4, 3, resample, fused).double() for fused in (True, False))
    plain.load_state_dict(fused.state_dict())
    images = torch.randn(2, 3, 8, 8).double()
    assert fused(images).shape == (2, 4, *([16, 16] if resample == "up" else [4, 4]))
    torch.testing.assert_close(fused(images), plain(images), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("resample", ["up", "down"])
@pytest.mark.parametrize("side", [1, 3])
def test_rounding_is_below_a_millionth(resample: str, side: int) -> None:
    torch.manual_seed(0)
    layer = ResamplingConv2d(32, 32, side, resample, fused=True)
    plain = ResamplingConv2d(32, 32, side, resample, fused=False).double()
    plain.load_state_dict(layer.state_dict())
    images = torch.randn(4, 32, 16, 16)
    truth = plain(images.double())
    assert (layer(images) - truth).norm() < 1e-6 * truth.norm()


def multiplications(layer: torch.nn.Module, images: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        layer(images)
    return counter.get_total_flops()


@pytest.mark.parametrize(("channels", "kernel", "expected"), [(64, 3, True), (4, 3, False), (2, 1, True)])
@pytest.mark.parametrize("resample", ["up", "down"])
def test_by_default_it_folds_where_that_pays(resample: Resample, channels: int, kernel: int, expected: bool) -> None:
    images = torch.empty(1, channels, 8, 8, device="meta")
    counts = {
        fused: multiplications(ResamplingConv2d(channels, channels, kernel, resample, fused).to("meta"), images)
        for fused in (None, True, False)
    }
    assert counts[None] == counts[expected] != counts[not expected]
    assert folds(resample, channels, channels, kernel) is expected


@pytest.mark.parametrize("resample", ["up", "down"])
def test_folding_leaves_a_quarter_of_the_multiplications(resample: Resample) -> None:
    images = torch.empty(1, 4, 8, 8, device="meta")
    folded, plain = (
        multiplications(ResamplingConv2d(4, 4, 3, resample, fused).to("meta"), images) for fused in (True, False)
    )
    assert 4 * folded == plain
