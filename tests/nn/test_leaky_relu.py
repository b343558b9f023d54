import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from ganlab.nn import LeakyReLU, ReLU, leaky_relu

from .double_gradients import ConvolutionCounter, in_torch_layers, nodes, r1, r1_gradient, small_discriminator


@pytest.mark.parametrize("layer", [LeakyReLU(0.2), LeakyReLU(0.0), ReLU()])
def test_it_is_torchs_layer(layer):
    torch.manual_seed(0)
    x = torch.randn(3, 5, dtype=torch.float64).requires_grad_()
    output, expected = layer(x), nn.functional.leaky_relu(x, getattr(layer, "negative_slope", 0.0))
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(
        torch.autograd.grad(output.exp().sum(), x)[0], torch.autograd.grad(expected.exp().sum(), x)[0]
    )
    assert gradcheck(layer, x)
    assert gradgradcheck(layer, x)


def test_slopes_below_zero_are_refused():
    with pytest.raises(AssertionError, match=r"not for -0\.1"):
        leaky_relu(torch.zeros(1), -0.1)


def test_a_penalty_is_the_same_as_with_torchs_layers():
    network = small_discriminator().double()
    x = torch.randn(4, 3, 16, 16, dtype=torch.float64)
    truth = r1_gradient(in_torch_layers(network), x)
    torch.testing.assert_close(r1_gradient(network, x), truth)
    assert truth.norm() > 0.01


def test_the_gradient_of_a_penalty_leaves_the_first_pass_alone():
    network, x = small_discriminator(), torch.randn(2, 3, 16, 16)
    with ConvolutionCounter() as counter:
        penalty = r1(network, x)
        penalty.backward()
    # Four layers: the output, the gradient of the images, and that gradient's two gradients, of which the one by
    # the last logits does not exist.
    assert counter.count == 4 * 4 - 1
    assert "_LeakyReLUBackward" not in nodes(penalty)
