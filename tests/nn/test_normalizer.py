import torch
from torch import nn

from ganlab.nn import Normalizer, Unchanged


def test_the_base_changes_nothing():
    layer, x = nn.Linear(3, 4), torch.randn(2, 4)
    normalizer = Normalizer()
    assert normalizer.weight(layer) is layer
    assert normalizer.activation(4)(x) is x
    assert normalizer.activation(4, condition=7)(x, torch.randn(2, 7)) is x
    assert not list(normalizer.activation(4).parameters())
    assert not normalizer.centers


def test_one_place_can_be_overridden_alone():
    class Doubling(Normalizer):
        def activation(self, channels, condition=None):
            return nn.Sequential(Unchanged(), nn.Flatten())

    assert isinstance(Doubling().activation(2), nn.Sequential)
    layer = nn.Conv2d(1, 1, 1)
    assert Doubling().weight(layer) is layer
