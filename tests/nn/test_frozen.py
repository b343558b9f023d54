"""A frozen network is used, moved and left alone."""

import copy

import pytest
import torch
from torch import nn

from ganlab.games.two_player import TwoPlayerGAN
from ganlab.nn import Frozen
from tests.tiny import Logistic, TinyDiscriminator, TinyGenerator, tiny_settings


class Perceptual(TinyDiscriminator):
    """A discriminator that looks at features of a frozen network with batch norm."""

    def __init__(self):
        super().__init__()
        self.features = Frozen(nn.Sequential(nn.Flatten(), nn.Linear(16, 16), nn.BatchNorm1d(16)))

    def forward(self, images, labels=None):
        return super().forward(self.features(images).view_as(images))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Perceptual()


def test_it_is_neither_saved_nor_trained(network):
    assert not [name for name in network.state_dict() if name.startswith("features")]
    assert len(list(network.parameters())) == len(list(TinyDiscriminator().parameters()))
    assert not list(network.features.buffers())
    network.load_state_dict(TinyDiscriminator().state_dict())  # strict: nothing is missing


def test_it_stays_in_evaluation_mode_and_keeps_its_statistics(network):
    statistics = network.features.network[2].running_mean.clone()
    network.train()(torch.randn(8, 1, 4, 4))
    assert torch.equal(network.features.network[2].running_mean, statistics)


def test_gradients_pass_through_it(network):
    images = torch.randn(3, 1, 4, 4, requires_grad=True)
    network(images).sum().backward()
    assert images.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.features.network.parameters())


def test_it_moves_with_what_holds_it(network):
    network.double()
    assert network.features.network[1].weight.dtype == torch.float64
    assert network(torch.randn(2, 1, 4, 4, dtype=torch.float64)).dtype == torch.float64
    assert network.to("meta").features.network[2].running_mean.device.type == "meta"


def test_a_copy_has_its_own(network):
    images, other = torch.randn(2, 1, 4, 4), copy.deepcopy(network)
    expected = network(images)
    network.features.network[1].weight.zero_()
    assert torch.equal(other(images), expected)


def test_a_game_neither_owns_nor_averages_nor_saves_it(network):
    class Painter(TinyGenerator):
        def __init__(self):
            super().__init__()
            self.eye = Frozen(nn.Linear(3, 3))

    module = TwoPlayerGAN(Painter(), network, Logistic())
    module.prepare(tiny_settings())
    held = {id(p) for part in (module.generator.eye, network.features) for p in part.network.parameters()}
    owned = {id(parameter) for group in module.trainable.values() for parameter in group}
    assert not held & owned
    assert not [name for name in module.state_dict() if "eye" in name or "features" in name]
