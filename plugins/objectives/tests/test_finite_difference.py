"""R1 and R2 without a double backward against the exact ones."""

import pytest
import torch
from ganlab_objectives.r1 import R1
from ganlab_objectives.r2 import R2
from torch import nn

from ganlab.contracts import Views
from ganlab.randomness import Randomness

COUNT, SIZE = 4000, 6


def gaussian_rows(seed):
    return torch.randn(SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).repeat(COUNT, 1)


def penalty(regularizer, discriminate, images):
    views = Views(
        real_images=images, fake_images=images, discriminate=discriminate, random=Randomness(0, count=len(images))
    )
    return regularizer.penalty(views)


def small_network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(SIZE, 16), nn.Softplus(), nn.Linear(16, 1)).double()
    return network, lambda x: network(x).flatten()


def test_of_a_linear_critic_it_is_the_square_of_the_slope_along_the_direction():
    # Exact for every step, as a linear function has no curvature.
    slope = gaussian_rows(1)[0]
    directions = Randomness(0, count=COUNT).normal("R1 direction", SIZE).double()
    expected = (directions @ slope).square().mean() / 2
    for step in (1e-3, 1.0):
        estimate = penalty(R1(finite_difference=step), lambda x: x @ slope, gaussian_rows(2))
        torch.testing.assert_close(estimate, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", [R1, R2])
def test_on_average_it_is_the_exact_penalty(kind):
    _, discriminate = small_network()
    images = gaussian_rows(3)
    exact = penalty(kind(), discriminate, images)
    estimate = penalty(kind(finite_difference=0.01), discriminate, images)
    # One estimate has a standard deviation of sqrt(2) times the penalty: 4000 of them of 2.2%.
    assert abs(estimate / exact - 1).item() < 3 * (2 / COUNT) ** 0.5


def test_on_average_its_gradient_is_the_exact_one():
    network, discriminate = small_network()
    images = gaussian_rows(3)
    parameters = [parameter for name, parameter in network.named_parameters() if name != "2.bias"]
    exact, estimate = (
        torch.cat([part.flatten() for part in torch.autograd.grad(penalty(r, discriminate, images), parameters)])
        for r in (R1(), R1(finite_difference=0.01))
    )
    assert torch.cosine_similarity(exact, estimate, dim=0) > 0.995
    assert abs(estimate.norm() / exact.norm() - 1) < 0.05


@pytest.mark.parametrize(("step", "error"), [(0.1, 2e-3), (0.01, 2e-5)])
def test_its_error_along_a_direction_is_of_second_order_in_the_step(step, error):
    _, discriminate = small_network()
    images = gaussian_rows(3)
    directions = Randomness(0, count=COUNT).normal("R1 direction", SIZE).double()
    leaf = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminate(leaf).sum(), leaf)
    exact = (gradient * directions).sum(1).square().mean() / 2
    assert abs(penalty(R1(finite_difference=step), discriminate, images) / exact - 1) < error


def test_in_float32_a_step_of_a_hundredth_is_accurate():
    network, discriminate = small_network()
    images = gaussian_rows(3)
    wide = penalty(R1(finite_difference=0.01), discriminate, images)
    narrow = network.float()
    rounded = penalty(R1(finite_difference=0.01), lambda x: narrow(x).flatten(), images.float())
    assert abs(rounded / wide - 1).item() < 1e-3


def test_it_needs_no_second_derivative():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(context, value):
            return value.sum(1)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(context, gradient):
            return gradient[:, None].expand(-1, SIZE)

    factor = torch.ones((), dtype=torch.float64, requires_grad=True)
    penalty(R1(finite_difference=0.1), lambda x: Once.apply(x * factor), gaussian_rows(4)).backward()
    assert factor.grad > 0
