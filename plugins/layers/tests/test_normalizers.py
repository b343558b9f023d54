import pytest
import torch
from ganlab_layers.batch import BatchNormalizer
from ganlab_layers.none import NoNormalizer
from ganlab_layers.pixelnorm import PixelNormalizer
from ganlab_layers.spectral import SpectralNormalizer
from torch import nn

from ganlab.nn import PixelNorm, SpectralNorm, Unchanged

EVERY = [NoNormalizer(), BatchNormalizer(), PixelNormalizer(), SpectralNormalizer()]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("normalizer", EVERY)
@pytest.mark.parametrize("condition", [None, 6])
@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3, 3)])
def test_activations_keep_the_shape_with_and_without_a_condition(normalizer, condition, shape):
    module = normalizer.activation(4, condition)
    arguments = () if condition is None else (torch.randn(5, condition),)
    assert module(torch.randn(shape), *arguments).shape == shape


@pytest.mark.parametrize("normalizer", EVERY)
def test_weights_keep_the_shape(normalizer):
    assert normalizer.weight(nn.Conv2d(2, 3, 4)).weight.shape == (3, 2, 4, 4)


def test_what_acts_where():
    layer = nn.Linear(3, 3)
    assert isinstance(SpectralNormalizer().activation(3), Unchanged)
    assert isinstance(PixelNormalizer().activation(3), PixelNorm)
    assert all(normalizer.weight(layer) is layer for normalizer in EVERY[:3])
    assert isinstance(SpectralNormalizer(eps=1e-4).weight(layer).parametrizations.weight[0], SpectralNorm)
    assert layer.parametrizations.weight[0].eps == 1e-4
    assert [normalizer.centers for normalizer in EVERY] == [False, True, False, False]


@pytest.mark.parametrize(("shape", "reference"), [((8, 4), nn.BatchNorm1d), ((8, 4, 3, 5), nn.BatchNorm2d)])
def test_batch_equals_torch(shape, reference):
    ours, theirs = BatchNormalizer(momentum=0.3, eps=1e-3).activation(4), reference(4, eps=1e-3, momentum=0.3)
    gain = torch.randn(4)
    for module in (ours, theirs):
        module.weight.data.copy_(gain)
    for _ in range(3):
        x = torch.randn(shape) * 3 + 1
        assert torch.equal(ours(x), theirs(x))
    ours.eval(), theirs.eval()
    assert torch.equal(ours(x), theirs(x))
    assert ours.state_dict().keys() == theirs.state_dict().keys()


def test_conditional_batch_modulates_by_one_plus_a_linear_gain():
    module = BatchNormalizer().activation(4, condition=2)
    x, vector = torch.randn(6, 4, 3, 3), torch.randn(6, 2)
    plain = nn.BatchNorm2d(4, affine=False)(x)
    gain, bias = vector @ module.gain.weight.t(), vector @ module.bias.weight.t()
    expected = plain * (1 + gain)[:, :, None, None] + bias[:, :, None, None]
    torch.testing.assert_close(module(x, vector), expected)
    torch.testing.assert_close(module(x, torch.zeros(6, 2)), nn.BatchNorm2d(4, affine=False)(x))


def test_batch_gradients():
    module = BatchNormalizer().activation(3).double()
    x = torch.randn(4, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, (x,))
    assert torch.autograd.gradgradcheck(module, (x,))
