import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import conv2d, interpolate, relu

from ganlab.errors import UserError
from ganlab.nn import CombinedNormalizer, Normalizer, PixelNorm, Spatial, spatial_activation


class Modulated(Normalizer):
    takes_maps = True

    def activation(self, channels, condition=None, spatial=None):
        return nn.Identity() if spatial is None else Spatial(nn.Identity(), channels, spatial, hidden=3)


class OfPixels(Normalizer):
    def activation(self, channels, condition=None):
        return PixelNorm()


class Old:
    """A normalizer from before maps, with no base of ours."""

    def weight(self, layer):
        return layer

    def activation(self, channels, condition=None):
        return nn.Identity()


pytestmark = pytest.mark.usefixtures("seeded")


def test_it_is_the_formula_of_the_paper():
    module = Spatial(nn.InstanceNorm2d(4), 4, 2, hidden=5)
    images, maps = torch.randn(3, 4, 8, 8), torch.randn(3, 2, 16, 16)
    resized = interpolate(maps, size=(8, 8), mode="nearest")
    hidden = relu(conv2d(resized, module.shared.weight, module.shared.bias, padding=1))
    gamma = conv2d(hidden, module.gain.weight, module.gain.bias, padding=1)
    beta = conv2d(hidden, module.bias.weight, module.bias.bias, padding=1)
    deviation, mean = torch.std_mean(images, (2, 3), correction=0, keepdim=True)
    normalized = (images - mean) / (deviation.square() + 1e-5).sqrt()
    torch.testing.assert_close(module(images, maps), normalized * (1 + gamma) + beta)


def test_both_gradients_are_right():
    module = Spatial(PixelNorm(), 2, 1, hidden=2).double()
    inputs = [torch.randn(1, channels, 3, 3, dtype=torch.float64, requires_grad=True) for channels in (2, 1)]
    assert gradcheck(module, inputs, fast_mode=True)
    assert gradgradcheck(module, inputs, fast_mode=True)


@pytest.mark.parametrize("normalizer", [OfPixels(), Normalizer(), Old(), CombinedNormalizer([OfPixels()])])
def test_one_that_cannot_says_so_when_it_is_built(normalizer):
    with pytest.raises(UserError, match=f"{type(normalizer).__name__} has no gain and bias for each pixel"):
        spatial_activation(normalizer, 4, 2)


def test_in_a_list_the_others_make_no_use_of_the_map():
    images, maps = torch.randn(2, 4, 4, 4), torch.randn(2, 1, 4, 4)
    module = spatial_activation(CombinedNormalizer([Old(), Modulated(), OfPixels()]), 4, 1)
    (inner,) = (part for part in module.modules() if isinstance(part, Spatial))
    torch.testing.assert_close(module(images, maps), PixelNorm()(inner(images, maps)))
    alone = spatial_activation(CombinedNormalizer([Normalizer(), Modulated()]), 4, 1)
    assert isinstance(alone, Spatial)
