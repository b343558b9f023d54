import torch
from torch import nn

from ganlab.nn import CombinedNormalizer, Normalizer, PixelNorm, Unchanged


class Doubled(nn.Module):
    def forward(self, images, vector=None):
        return images * 2 if vector is None else images + vector[:, :, None]


class Doubling(Normalizer):
    def __init__(self, centers=False):
        self.centers = centers

    def weight(self, layer):
        layer.weight.data.mul_(2)
        return layer

    def activation(self, channels, condition=None):
        return Doubled()


class Pixel(Normalizer):
    def weight(self, layer):
        layer.weight.data.add_(1)
        return layer

    def activation(self, channels, condition=None):
        return PixelNorm()


def test_parts_act_in_turn_on_weights_and_activations():
    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone()
    assert CombinedNormalizer([Doubling(), Pixel()]).weight(layer) is layer
    torch.testing.assert_close(layer.weight, before * 2 + 1)
    x, vector = torch.randn(3, 2, 4), torch.randn(3, 2)
    torch.testing.assert_close(CombinedNormalizer([Pixel(), Doubling()]).activation(2)(x), PixelNorm()(x) * 2)
    conditional = CombinedNormalizer([Doubling(), Pixel()]).activation(2, 2)
    torch.testing.assert_close(conditional(x, vector), PixelNorm()(x + vector[:, :, None]))


def test_what_does_nothing_is_left_out():
    assert isinstance(CombinedNormalizer([Normalizer(), Doubling()]).activation(2), Doubled)
    assert isinstance(CombinedNormalizer([Normalizer()]).activation(2), Unchanged)


def test_it_centers_where_the_first_activation_does():
    assert CombinedNormalizer([Normalizer(), Doubling(centers=True), Pixel()]).centers
    assert not CombinedNormalizer([Pixel(), Doubling(centers=True)]).centers
    assert not CombinedNormalizer([]).centers
