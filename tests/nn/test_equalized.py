import pytest
import torch
from torch import nn

from ganlab.nn import equalized, weight_norm

# The layers and the options are tested with the normalizers of the pack; here, what a family calls.


def test_used_and_stored_weights():
    layer = equalized(nn.Linear(200, 300), gain=1.0, lr_multiplier=0.01)
    stored = layer.parametrizations.weight.original
    assert stored.std().item() == pytest.approx(100, rel=0.02)
    torch.testing.assert_close(layer.weight, stored * 0.01 / 200**0.5)


def test_a_step_of_adam_changes_the_used_weight_by_the_scaled_rate():
    layer = equalized(nn.Linear(4, 3), gain=1.0, lr_multiplier=0.5)
    before, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, eps=0)
    layer(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    torch.testing.assert_close(before - layer.weight, torch.full((3, 4), 0.1 * 0.5 / 2))
    torch.testing.assert_close(bias - layer.bias, torch.full((3,), 0.1 * 0.5))


def test_assigned_weights_are_the_used_ones():
    for layer in (equalized(nn.Linear(4, 3)), weight_norm(nn.Linear(4, 3))):
        wanted = torch.randn(3, 4)
        layer.weight = wanted
        torch.testing.assert_close(layer.weight, wanted)


def test_meta_device():
    with torch.device("meta"):
        assert equalized(nn.Conv2d(3, 4, 3)).weight.is_meta
        assert weight_norm(nn.Conv2d(3, 4, 3)).weight.is_meta
