import pytest
import torch
from ganlab_dcgan.discriminator import DCGANDiscriminator
from ganlab_dcgan.generator import DCGANGenerator
from ganlab_layers.batch import BatchNorm, BatchNormalizer
from ganlab_layers.none import NoNormalizer
from ganlab_layers.pixelnorm import PixelNormalizer
from ganlab_layers.spectral import SpectralNormalizer
from torch import nn

from ganlab.errors import UserError

RESOLUTIONS = [8, 16, 32, 64, 128, 256]
NORMALIZERS = [None, NoNormalizer(), BatchNormalizer(), PixelNormalizer(), SpectralNormalizer()]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("normalizer", [None, BatchNormalizer()])
def test_published_parameter_counts(normalizer):
    assert parameters(DCGANGenerator(64, 3, normalizer=normalizer)) == 3_576_704
    assert parameters(DCGANDiscriminator(64, 3, normalizer=normalizer)) == 2_765_568


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_shapes_at_every_resolution(resolution):
    with torch.device("meta"):
        images = DCGANGenerator(resolution, 3, latent_size=7, width=2)(torch.empty(2, 7))
        assert images.shape == (2, 3, resolution, resolution)
        assert DCGANDiscriminator(resolution, 3, width=2)(images).logits.shape == (2,)


@pytest.mark.parametrize("resolution", [0, 4, 24, 96, 512, -8])
@pytest.mark.parametrize("network", [DCGANGenerator, DCGANDiscriminator])
def test_other_resolutions_are_refused_with_a_sentence(resolution, network):
    with pytest.raises(UserError, match=rf"8, 16, 32, 64, 128, 256 pixels, not {resolution}"):
        network(resolution, 3)


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("classes", [0, 3])
def test_every_normalizer_and_every_parameter_gets_a_gradient(normalizer, classes):
    generator = DCGANGenerator(16, 1, classes, 5, 4, normalizer)
    discriminator = DCGANDiscriminator(16, 1, classes, 4, normalizer)
    labels = torch.tensor([0, 1, 2, 1]) if classes else None
    images = generator(torch.randn(4, 5), labels)
    assert images.shape == (4, 1, 16, 16)
    assert images.abs().max() <= 1
    logits = discriminator(images, labels).logits
    assert logits.shape == (4,)
    logits.square().sum().backward()
    for network in (generator, discriminator):
        assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_biases_are_left_out_beside_batch_norm_only():
    def biases(network):
        return [m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]

    for make in (DCGANGenerator, DCGANDiscriminator):
        assert not any(biases(make(16, 1)))
        assert all(biases(make(16, 1, normalizer=NoNormalizer())))
        assert all(biases(make(16, 1, normalizer=PixelNormalizer())))


def test_batch_norm_is_neither_first_nor_last_in_the_discriminator():
    norms = [m.num_features for m in DCGANDiscriminator(64, 3).modules() if isinstance(m, BatchNorm)]
    assert norms == [128, 256, 512]


def test_initial_weights():
    network = DCGANGenerator(64, 3)
    convolutions = torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, nn.ConvTranspose2d)])
    gains = torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, BatchNorm)])
    assert abs(convolutions.mean()) < 1e-4
    assert convolutions.std().item() == pytest.approx(0.02, rel=0.01)
    assert gains.mean().item() == pytest.approx(1, abs=0.005)
    assert gains.std().item() == pytest.approx(0.02, rel=0.1)


def test_labels_change_images_and_logits_of_conditional_networks_only():
    latents, images = torch.randn(2, 5), torch.randn(2, 1, 8, 8)
    zeros, ones = torch.zeros(2, dtype=torch.long), torch.ones(2, dtype=torch.long)
    for conditional in (True, False):
        generator = DCGANGenerator(8, 1, 2, 5, 4, conditional=conditional)
        discriminator = DCGANDiscriminator(8, 1, 2, 4, conditional=conditional)
        assert torch.equal(generator(latents, zeros), generator(latents, ones)) is not conditional
        logits = [discriminator(images, labels).logits for labels in (zeros, ones)]
        assert torch.equal(*logits) is not conditional


def test_an_unconditional_network_has_no_embedding():
    assert parameters(DCGANGenerator(64, 3, 10, conditional=False)) == 3_576_704
    assert parameters(DCGANDiscriminator(64, 3, 10, conditional=False)) == 2_765_568


def test_projection_is_the_inner_product_with_summed_features():
    network = DCGANDiscriminator(8, 1, 4, 4, NoNormalizer())
    images, labels = torch.randn(3, 1, 8, 8), torch.tensor([0, 3, 3])
    features = network.features(images)
    weight = network.embedding.weight[labels][:, :, None, None] + network.last.weight
    expected = (features * weight).sum((1, 2, 3)) + network.last.bias
    scores = network(images, labels)
    torch.testing.assert_close(scores.logits, expected)
    assert torch.equal(scores.features[-1], features)


def test_spectral_norm_is_on_every_weight_of_the_discriminator():
    network = DCGANDiscriminator(16, 1, 10, 4, SpectralNormalizer())
    names = [name for name, _ in network.named_parameters() if not name.endswith("bias")]
    assert len(names) == 4
    assert all("parametrizations.weight.original" in name for name in names)
