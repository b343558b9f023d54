import pytest
import torch
from ganlab_infogan.networks import InfoGANDiscriminator, InfoGANGenerator
from ganlab_layers.spectral import SpectralNormalizer

from ganlab import UserError
from ganlab.testing import parameter_count


def test_the_papers_networks_for_mnist():
    with torch.device("meta"):
        generator, discriminator = InfoGANGenerator((1, 28, 28)), InfoGANDiscriminator((1, 28, 28))
        images = generator(torch.empty(2, 74))
        assert images.shape == (2, 1, 28, 28)
        assert discriminator(images).features[-1].shape == (2, 1024)
    # Weights, then two numbers of each batch norm, then the biases of layers without one, counted by hand.
    units = 74 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272
    assert parameter_count(generator) == units + 128 * 64 * 16 + 2 * 64 + 64 * 16 + 1
    assert parameter_count(discriminator) == 64 * 16 + 64 + 64 * 128 * 16 + 2 * 128 + 6272 * 1024 + 2 * 1024 + 1024 + 1


def test_the_papers_networks_for_svhn_and_celeba():
    with torch.device("meta"):
        generator = InfoGANGenerator((3, 32, 32), 168, [], [448, 256, 128, 64])
        assert generator(torch.empty(2, 168)).shape == (2, 3, 32, 32)
        assert generator.layers[0].out_features == 2 * 2 * 448
        assert InfoGANDiscriminator((3, 32, 32), [64, 128, 256], [])(torch.empty(2, 3, 32, 32)).logits.shape == (2,)


@pytest.mark.parametrize("normalizer", [None, SpectralNormalizer()])
def test_every_parameter_gets_a_gradient(normalizer):
    generator = InfoGANGenerator((1, 8, 12), 5, [6], [4, 3], normalizer)
    discriminator = InfoGANDiscriminator((1, 8, 12), [3, 4], [6], normalizer)
    discriminator(generator(torch.randn(4, 5))).logits.square().sum().backward()
    for network in (generator, discriminator):
        assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


@pytest.mark.parametrize("network", [InfoGANGenerator, InfoGANDiscriminator])
def test_other_data_are_refused(network):
    with pytest.raises(UserError, match="multiples of 4, not 10x8"):
        network((1, 10, 8))
    with pytest.raises(UserError, match="takes images, not examples of 2 numbers"):
        network((2,))
