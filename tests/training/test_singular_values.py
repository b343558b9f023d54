"""Singular values by power iteration, against those of a decomposition."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlab.nn import Conv2d, ConvTranspose2d, equalized, spectral_norm, weight_norm
from ganlab.training.singular_values import SingularValues

LAYERS = {
    "linear": lambda: nn.Linear(7, 5),
    "convolution": lambda: Conv2d(3, 5, 3),
    "transposed convolution": lambda: ConvTranspose2d(4, 6, 4),
    "embedding": lambda: nn.Embedding(9, 4),
    "equalized": lambda: equalized(nn.Linear(7, 5)),
    "weight norm": lambda: weight_norm(Conv2d(3, 5, 3)),
}


def exact(layer: nn.Module) -> float:
    """As a matrix with a row for each output; rows and columns change places without changing singular values."""
    weight = layer.weight.detach().double()
    matrix = weight.transpose(0, 1).flatten(1) if isinstance(layer, ConvTranspose2d) else weight.flatten(1)
    return torch.linalg.svdvals(matrix)[0].item()


@pytest.mark.parametrize("kind", LAYERS)
def test_calls_come_closer_to_the_largest_singular_value(kind) -> None:
    torch.manual_seed(3)
    layer, values = LAYERS[kind](), SingularValues()
    errors = []
    for _ in range(60):
        (found,) = values.measure(layer).values()
        errors.append(abs(found / exact(layer) - 1))
    assert errors[0] < 0.2
    assert errors[-1] < 1e-4
    assert errors[-1] <= errors[0]


def test_below_spectral_norm_its_own_estimate_of_the_undivided_weight_is_taken_without_a_trace() -> None:
    torch.manual_seed(0)
    layer = spectral_norm(equalized(nn.Linear(6, 6), gain=5.0))
    for _ in range(60):
        layer(torch.randn(2, 6))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    (found,) = SingularValues().measure(layer).values()
    undivided = layer.parametrizations.weight.original.detach() * 5.0 / 6**0.5
    assert found == pytest.approx(torch.linalg.svdvals(undivided)[0].item(), rel=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert layer.training
    assert layer.parametrizations.weight.training


def test_torchs_own_spectral_norm_is_left_as_it_is() -> None:
    layer = torch.nn.utils.parametrizations.spectral_norm(nn.Linear(6, 4))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    (found,) = SingularValues().measure(layer).values()
    assert found == pytest.approx(1.0, rel=0.2)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_every_layer_has_a_value_and_vectors_and_gains_have_none() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.Linear(4, 2)))
    assert sorted(SingularValues().measure(network)) == ["0", "2.0"]
    assert SingularValues().measure(nn.BatchNorm1d(4)) == {}


def test_what_was_saved_goes_on_as_if_nothing_had_happened() -> None:
    torch.manual_seed(1)
    layer, first, second = nn.Linear(30, 30), SingularValues(), SingularValues()
    first.measure(layer, "player")
    second.load_state_dict(first.state_dict())
    assert first.measure(layer, "player") == second.measure(layer, "player")
    assert first.measure(layer, "player") != SingularValues().measure(layer, "player")
