"""Modulated convolutions against one convolution for each image with the weight written out, in float64."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional

from ganlab.nn.modulated_convolution import modulated_conv2d
from ganlab.nn.upfirdn import Resampler

both = pytest.mark.parametrize("fused", [False, True])
WAYS = [(3, False, True), (3, True, True), (1, False, True), (1, False, False), (3, True, False), (5, False, True)]
ways = pytest.mark.parametrize(("side", "doubling", "demodulate"), WAYS)


def made(side=3, inputs=3, outputs=5, height=4, width=6):
    generator = torch.Generator().manual_seed(side)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    return normal(2, inputs, height, width), normal(outputs, inputs, side, side), normal(2, inputs)


def reference(images, weight, factors, demodulate, resampler):
    results = []
    for image, row in zip(images, factors, strict=True):
        own = weight * row[None, :, None, None]
        if demodulate:
            own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if resampler is None:
            results.append(functional.conv2d(image[None], own, padding=weight.shape[-1] // 2))
        else:
            large = functional.conv_transpose2d(image[None], own.transpose(0, 1), stride=2)
            results.append(resampler.after_transposed(large))
    return torch.cat(results)


@both
@ways
def test_values_and_gradients(side, doubling, demodulate, fused):
    inputs, resampler = made(side), Resampler().double() if doubling else None
    results = []
    for output in (
        modulated_conv2d(*inputs, demodulate, resampler, fused),
        reference(*inputs, demodulate, resampler),
    ):
        slopes = torch.autograd.grad(output.sin().sum(), inputs, create_graph=True)
        total = sum(slope.square().sum() for slope in slopes)
        results.append([output, *slopes, *torch.autograd.grad(total, inputs)])
    torch.testing.assert_close(*results)


@both
@pytest.mark.parametrize("doubling", [False, True])
def test_the_numerical_check(doubling, fused):
    inputs, resampler = made(height=2, width=3), Resampler().double() if doubling else None

    def output(*tensors):
        return modulated_conv2d(*tensors, True, resampler, fused)

    assert gradcheck(output, inputs, fast_mode=True)
    assert gradgradcheck(output, inputs, fast_mode=True)


@both
def test_demodulated_outputs_have_unit_variance(fused):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(8, 16, 24, 24, generator=generator)
    weight, factors = torch.randn(8, 16, 3, 3, generator=generator), 5 * torch.rand(8, 16, generator=generator)
    inside = modulated_conv2d(images, weight, factors, fused=fused)[..., 1:-1, 1:-1]
    torch.testing.assert_close(inside.var((2, 3)).mean(0), torch.ones(8), rtol=0.1, atol=0.0)
    torch.testing.assert_close(inside.var((0, 2, 3)).mean(), torch.tensor(1.0), rtol=0.03, atol=0.0)


@both
def test_bfloat16_and_autocast(fused):
    inputs = [tensor.detach().float() for tensor in made(inputs=32, outputs=16)]
    exact = modulated_conv2d(*inputs, fused=fused)
    with torch.autocast("cpu", torch.bfloat16):
        half = modulated_conv2d(*inputs, fused=fused)
    assert half.dtype == torch.bfloat16
    assert (half.float() - exact).norm() / exact.norm() < 0.02


def test_only_3x3_kernels_enlarge():
    images, weight, factors = made(1)
    with pytest.raises(AssertionError, match="3x3"):
        modulated_conv2d(images, weight, factors, resampler=Resampler().double())
