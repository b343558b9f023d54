from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlab.errors import SpecError, UserError
from ganlab.games.freezing import freeze
from ganlab.nn import equalized, spectral_norm
from tests.tiny import tiny_gan
from tests.training.fitting import fit


def network() -> nn.Module:
    features = nn.Sequential(spectral_norm(nn.Conv2d(1, 2, 3)), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 2, 3))
    return nn.ModuleDict({"features": features, "last": equalized(nn.Linear(2, 1), lr_multiplier=0.1)})


def trained(module: nn.Module) -> set[str]:
    return {name for name, parameter in module.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (0, ["features.0", "features.1", "features.3", "last"]),
        (1, ["features.1", "features.3", "last"]),
        (3, ["last"]),
        (["features.1", "last"], ["features.0", "features.3"]),
        (["features"], ["last"]),
    ],
)
def test_layers_by_number_and_modules_by_name(what, left) -> None:
    frozen = network()
    freeze(frozen, what, "freeze_d")
    everything = trained(network())
    assert trained(frozen) == {name for name in everything if any(name.startswith(f"{part}.") for part in left)}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (5, "freeze_d is 5, but the network has 4 layers: features.0, features.1, features.3, last"),
        (["feature"], "freeze_d: the network has no module 'feature'; its modules: features, features.0"),
        ([""], "has no module ''"),
    ],
)
def test_what_is_not_there_is_refused(what, message) -> None:
    with pytest.raises(UserError, match=message):
        freeze(network(), what, "freeze_d")


def test_frozen_layers_stay_while_the_rest_learns() -> None:
    module = tiny_gan(freeze_d=1)
    before = {name: value.clone() for name, value in module.discriminator.state_dict().items()}
    fit(module, 32)
    changed = {
        name for name, value in module.discriminator.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"net.3.weight", "net.3.bias"}
    assert all(parameter.requires_grad for parameter in module.generator.parameters())
    assert not module.discriminator.net[1].weight.requires_grad


def test_a_discriminator_without_anything_to_train_is_refused() -> None:
    with pytest.raises(SpecError, match="'discriminator' has no parameters to train"):
        tiny_gan(freeze_d=2)
