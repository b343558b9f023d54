"""The fused function against torch's own operations, in value and all gradients."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional

from ganlab.nn.bias_activation import BiasActivation, bias_activation

from .double_gradients import nodes

CASES = [
    (0.2, 2**0.5, None, True),
    (0.2, 1.0, 0.9, True),
    (0.0, 0.5, None, False),
    (1.0, 1.0, 0.7, True),
    (1.0, 2.0, None, False),
]
cases = pytest.mark.parametrize(("slope", "gain", "clamp", "has_bias"), CASES)


def reference(features, bias, slope, gain, clamp):
    if bias is not None:
        features = features + bias.view(1, -1, *[1] * (features.dim() - 2))
    result = functional.leaky_relu(features, slope) * gain
    return result if clamp is None else result.clamp(-clamp, clamp)


def made(has_bias, *shape):
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()
    bias = torch.randn(shape[1], generator=generator, dtype=torch.float64).requires_grad_() if has_bias else None
    return features, bias


@cases
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4, 5)])
def test_values_and_gradients(shape, slope, gain, clamp, has_bias):
    features, bias = made(has_bias, *shape)
    inputs = [features] if bias is None else [features, bias]
    results = []
    for function in (bias_activation, reference):
        output = function(features, bias, slope, gain, clamp)
        slopes = torch.autograd.grad(output.pow(3).sum(), inputs, create_graph=True)
        total = sum(each.square().sum() for each in slopes)
        results.append([output, *slopes, *torch.autograd.grad(total, inputs)])
    torch.testing.assert_close(*results)
    with torch.no_grad():
        torch.testing.assert_close(bias_activation(features, bias, slope, gain, clamp), results[0][0])


@cases
def test_the_numerical_check(slope, gain, clamp, has_bias):
    features, bias = made(has_bias, 2, 3, 4)
    inputs = (features,) if bias is None else (features, bias)

    def output(x, b=None):
        return bias_activation(x, b, slope, gain, clamp)

    assert gradcheck(output, inputs, fast_mode=True)
    assert gradgradcheck(output, inputs, fast_mode=True)


def test_a_penalty_carries_no_zeros_back():
    features, bias = made(True, 2, 3, 4, 4)
    (slope,) = torch.autograd.grad((bias_activation(features * 2, bias)).sum(), features, create_graph=True)
    assert not slope.requires_grad or "_BiasActivationBackward" not in nodes(slope)


def test_bfloat16_stays_and_the_bias_of_a_layer_starts_at_zero():
    layer = BiasActivation(3, clamp=2.0)
    assert [name for name, _ in layer.named_parameters()] == ["bias"]
    features = torch.randn(4, 3, 5, 6, dtype=torch.bfloat16)
    output = layer(features)
    assert output.dtype == torch.bfloat16
    torch.testing.assert_close(output, reference(features, None, 0.2, 2**0.5, 2.0))
    output.sum().backward()
    assert layer.bias.grad.dtype == torch.float32
    assert "clamp=2.0" in repr(layer)


def test_options_that_would_be_wrong():
    with pytest.raises(AssertionError, match="at least 0"):
        bias_activation(torch.zeros(1, 1), slope=-0.1)
    with pytest.raises(AssertionError, match="positive"):
        bias_activation(torch.zeros(1, 1), gain=0.0)
