import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from ganlab.nn import SpectralNorm, spectral_norm

LAYERS = {
    "linear": (lambda: nn.Linear(5, 7), lambda w: w),
    "embedding": (lambda: nn.Embedding(6, 4), lambda w: w),
    "convolution": (lambda: nn.Conv2d(3, 5, 3), lambda w: w.flatten(1)),
    "transposed": (lambda: nn.ConvTranspose2d(3, 5, 4), lambda w: w.transpose(0, 1).flatten(1)),
    "convolution_3d": (lambda: nn.Conv3d(2, 3, 2), lambda w: w.flatten(1)),
}

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("name", LAYERS)
def test_sigma_converges_to_the_largest_singular_value(name):
    make, as_matrix = LAYERS[name]
    layer = make().double()
    raw = layer.weight.detach().clone()
    spectral_norm(layer)
    for _ in range(300):
        normalized = layer.weight
    largest = torch.linalg.svdvals(as_matrix(raw))[0]
    torch.testing.assert_close(normalized.detach(), raw / largest, rtol=1e-9, atol=1e-12)


def test_one_training_pass_is_one_power_iteration():
    layer = spectral_norm(nn.Linear(5, 7).double())
    norm, raw = layer.parametrizations.weight[0], layer.parametrizations.weight.original
    u = norm.u.clone()
    layer(torch.randn(2, 5, dtype=torch.float64))
    v = raw.t() @ u / (raw.t() @ u).norm()
    torch.testing.assert_close(norm.v, v)
    torch.testing.assert_close(norm.u, raw @ v / (raw @ v).norm())


def test_eval_mode_uses_the_last_estimate_and_does_not_change_it():
    layer = spectral_norm(nn.Linear(5, 7))
    x = torch.randn(2, 5)
    trained = layer(x)
    before = copy.deepcopy(layer.state_dict())
    layer.eval()
    assert torch.equal(layer(x), trained)
    assert torch.equal(layer(x), trained)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_state_is_in_the_checkpoint_and_continues_exactly():
    layer = spectral_norm(nn.Conv2d(2, 3, 3))
    x = torch.randn(2, 2, 5, 5)
    layer(x)
    other = spectral_norm(nn.Conv2d(2, 3, 3))
    other.load_state_dict(layer.state_dict())
    assert {"parametrizations.weight.0.u", "parametrizations.weight.0.v"} <= set(layer.state_dict())
    for _ in range(3):
        assert torch.equal(layer(x), other(x))


def test_initial_vectors_follow_the_global_seed():
    layers = []
    for _ in range(2):
        torch.manual_seed(7)
        layers.append(spectral_norm(nn.Linear(5, 7)))
    first, second = (layer.state_dict() for layer in layers)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_gradient_flows_through_sigma():
    # d/dW of (w / sigma(W)) with u and v constant: (G - <G, W/sigma> u v') / sigma.
    layer = spectral_norm(nn.Linear(4, 3, bias=False).double())
    norm, raw = layer.parametrizations.weight[0], layer.parametrizations.weight.original
    direction = torch.randn(3, 4, dtype=torch.float64)
    layer.eval()
    (layer.weight * direction).sum().backward()
    sigma = norm.u @ raw.detach() @ norm.v
    normalized = raw.detach() / sigma
    expected = (direction - (direction * normalized).sum() * torch.outer(norm.u, norm.v)) / sigma
    torch.testing.assert_close(raw.grad, expected)


@pytest.mark.parametrize("make", [lambda: nn.Conv2d(3, 5, 2), lambda: nn.ConvTranspose2d(3, 5, 2)])
def test_channels_last_in_memory_are_the_same_channels(make):
    layer = spectral_norm(make().double())
    other = copy.deepcopy(layer).to(memory_format=torch.channels_last)
    images = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    for one in (layer, other):
        one(images).square().sum().backward()
    norms = [one.parametrizations.weight for one in (layer, other)]
    assert norms[1].original.is_contiguous(memory_format=torch.channels_last)
    for found, expected in zip(norms[1][0].buffers(), norms[0][0].buffers(), strict=True):
        torch.testing.assert_close(found, expected)
    torch.testing.assert_close(norms[1].original.grad, norms[0].original.grad)


def test_double_backward_for_penalties():
    norm = SpectralNorm(torch.randn(3, 4, dtype=torch.float64)).eval()
    x = torch.randn(2, 4, dtype=torch.float64)

    def penalty(weight):
        images = x.clone().requires_grad_()
        logits = linear(images, norm(weight)).tanh().sum()
        return torch.autograd.grad(logits, images, create_graph=True)[0].square().sum()

    weight = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(penalty, (weight,))
    assert torch.autograd.gradgradcheck(penalty, (weight,))


def test_two_passes_before_one_backward():
    layer = spectral_norm(nn.Linear(5, 1))
    (layer(torch.randn(2, 5)).mean() - layer(torch.randn(2, 5)).mean()).backward()
    assert torch.isfinite(layer.parametrizations.weight.original.grad).all()


def test_autocast_does_not_touch_the_estimate():
    layer = spectral_norm(nn.Linear(50, 70))
    other = copy.deepcopy(layer)
    plain = layer.weight
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(other.weight, plain)
        assert other(torch.randn(2, 50)).dtype == torch.bfloat16


def test_a_zero_weight_stays_zero():
    layer = nn.Linear(4, 3)
    nn.init.zeros_(layer.weight)
    weight = spectral_norm(layer).weight
    assert (weight == 0).all()


def test_meta_device():
    with torch.device("meta"):
        layer = spectral_norm(nn.Conv2d(3, 8, 4))
        assert layer(torch.empty(1, 3, 8, 8)).shape == (1, 8, 5, 5)
