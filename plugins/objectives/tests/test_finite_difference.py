"""R1 and R2 without a double backward against the exact ones."""

import pytest
import torch
from ganlab_objectives.r1 import R1
from ganlab_objectives.r2 import R2
from torch import nn

from ganlab.contracts import Views

COUNT, SIZE = 40, 6


def images(dtype=torch.float64):
    return torch.randn(COUNT, SIZE, dtype=dtype, generator=torch.Generator().manual_seed(0))


def penalty(regularizer, discriminate, images):
    def exact():
        points = images.detach().requires_grad_()
        return torch.autograd.grad(discriminate(points).sum(), points, create_graph=True)[0]

    offered = Views(
        real_images=images,
        fake_images=images,
        labels=None,
        fake_labels=None,
        discriminate=lambda x, labels: discriminate(x),
        lazily={"real_gradient": exact, "fake_gradient": exact},
    )
    return regularizer.penalty(offered)


def small_network(activation=nn.Softplus):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(SIZE, 16), activation(), nn.Linear(16, 1)).double()
    return network, lambda x: network(x).flatten()


def gradient(regularizer, network, discriminate):
    parameters = [parameter for name, parameter in network.named_parameters() if name != "2.bias"]
    parts = torch.autograd.grad(penalty(regularizer, discriminate, images()), parameters)
    return torch.cat([part.flatten() for part in parts])


@pytest.mark.parametrize("step", [1e-3, 1.0])
def test_of_a_linear_critic_it_is_exact_for_every_step(step):
    slope = torch.randn(SIZE, dtype=torch.float64, requires_grad=True)
    value = penalty(R1(finite_difference=step), lambda x: x @ slope, images())
    torch.testing.assert_close(value, slope.square().sum() / 2)
    (by_slope,) = torch.autograd.grad(value, slope)
    torch.testing.assert_close(by_slope, slope.detach())


def test_of_a_quadratic_critic_it_is_exact_for_every_step():
    # x' A x has the gradient 2 A x, and a difference quotient has no error of the first order.
    matrix = torch.diag(torch.arange(1.0, SIZE + 1, dtype=torch.float64))
    value = penalty(R1(finite_difference=0.7), lambda x: (x @ matrix * x).sum(1), images())
    torch.testing.assert_close(value, 2 * (images() @ matrix).square().sum(1).mean())


@pytest.mark.parametrize("kind", [R1, R2])
@pytest.mark.parametrize(("step", "most"), [(0.1, 2e-2), (0.01, 2e-4)])
def test_errors_of_value_and_gradient_are_of_second_order_in_the_step(kind, step, most):
    network, discriminate = small_network()
    exact, estimate = (penalty(each, discriminate, images()) for each in (kind(), kind(finite_difference=step)))
    assert abs(estimate / exact - 1) < most
    truth, found = (gradient(each, network, discriminate) for each in (kind(), kind(finite_difference=step)))
    assert 0 < (found - truth).norm() / truth.norm() < most


def test_with_rectifiers_it_goes_the_same_way():
    network, discriminate = small_network(lambda: nn.LeakyReLU(0.2))
    truth, found = (gradient(each, network, discriminate) for each in (R1(), R1(finite_difference=0.1)))
    assert torch.cosine_similarity(truth, found, dim=0) > 0.8


def test_in_float32_a_step_of_a_hundredth_is_accurate():
    network, discriminate = small_network()
    wide = penalty(R1(finite_difference=0.01), discriminate, images())
    narrow = network.float()
    rounded = penalty(R1(finite_difference=0.01), lambda x: narrow(x).flatten(), images().float())
    assert abs(rounded / wide - 1).item() < 1e-3


def test_where_the_critic_is_flat_there_is_no_penalty():
    factor = torch.zeros((), dtype=torch.float64, requires_grad=True)
    value = penalty(R1(finite_difference=0.1), lambda x: x.sum(1) * factor, images())
    value.backward()
    assert value == 0
    assert factor.grad == 0


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
    penalty(R1(finite_difference=0.1), lambda x: Once.apply(x * factor), images()).backward()
    torch.testing.assert_close(factor.grad, torch.tensor(float(SIZE), dtype=torch.float64))
