import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from ganlab.nn import AveragePool, average_pool

from .double_gradients import nodes


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_it_is_torchs_layer(size, memory_format):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 12, dtype=torch.float64).to(memory_format=memory_format).requires_grad_()
    output, expected = average_pool(x, size), nn.functional.avg_pool2d(x, size)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(
        torch.autograd.grad(output.exp().sum(), x)[0], torch.autograd.grad(expected.exp().sum(), x)[0]
    )
    assert gradcheck(AveragePool(size), x, fast_mode=True)
    assert gradgradcheck(AveragePool(size), x, fast_mode=True)


def test_its_second_gradient_does_not_go_back_through_the_images():
    x = torch.randn(1, 1, 4, 4).requires_grad_()
    weight = torch.ones(1, requires_grad=True)
    (slope,) = torch.autograd.grad((average_pool(x) * weight).sum(), x, create_graph=True)
    assert "_AveragePoolBackward" not in nodes(slope)


def test_squares_that_do_not_fit_are_refused():
    with pytest.raises(AssertionError, match="4 x 5 pixels do not divide into squares of 2"):
        average_pool(torch.zeros(1, 1, 4, 5))
