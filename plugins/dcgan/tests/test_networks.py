import re

import pytest
import torch
from ganlab_dcgan.discriminator import DCGANDiscriminator
from ganlab_dcgan.generator import DCGANGenerator
from ganlab_layers.batch import BatchNorm, BatchNormalizer
from ganlab_layers.equalized import EqualizedNormalizer
from ganlab_layers.none import NoNormalizer
from ganlab_layers.pixelnorm import PixelNormalizer
from ganlab_layers.spectral import SpectralNormalizer
from torch import nn

from ganlab.errors import UserError
from ganlab.testing import parameter_count

NORMALIZERS = [None, NoNormalizer(), BatchNormalizer(), PixelNormalizer(), SpectralNormalizer()]

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("normalizer", [None, BatchNormalizer()])
def test_published_parameter_counts(normalizer):
    assert parameter_count(DCGANGenerator((3, 64, 64), normalizer=normalizer)) == 3_576_704
    assert parameter_count(DCGANDiscriminator((3, 64, 64), normalizer=normalizer)) == 2_765_568


# Height, width, and the size that the maps start with.
SIZES = [(r, r, (4, 4)) for r in (8, 16, 32, 64, 128, 256)]
SIZES += [(64, 48, (4, 3)), (48, 64, (3, 4)), (96, 96, (6, 6)), (32, 64, (2, 4)), (320, 192, (5, 3)), (14, 2, (7, 1))]


@pytest.mark.parametrize(("height", "width", "start"), SIZES)
def test_squares_and_rectangles_that_are_a_start_doubled(height, width, start):
    with torch.device("meta"):
        generator = DCGANGenerator((3, height, width), latent_size=7, width=2)
        images = generator(torch.empty(2, 7))
        assert images.shape == (2, 3, height, width)
        assert generator.layers[0](torch.empty(2, 7, 1, 1)).shape[2:] == start
        scores = DCGANDiscriminator((3, height, width), width=2)(images)
        assert scores.logits.shape == (2,)
        assert scores.features[-1].shape[2:] == start


@pytest.mark.parametrize(
    ("height", "width", "nearest"),
    [
        (100, 75, r"\[96, 64\]"),
        (72, 72, "64"),
        (4, 4, "8"),
        (512, 512, "448"),
        (1024, 16, r"\[448, 64\]"),
        (64, 50, r"\[64, 48\]"),
    ],
)
@pytest.mark.parametrize("network", [DCGANGenerator, DCGANDiscriminator])
def test_other_sizes_are_refused_with_one_that_works(height, width, nearest, network):
    with pytest.raises(UserError, match=rf"not {height}x{width}: set 'data.resolution: {nearest}', or crop") as refused:
        network((3, height, width))
    size = [int(side) for side in re.search(r"resolution: \[?(\d+)(?:, (\d+))?", str(refused.value)).groups("0")]
    with torch.device("meta"):
        network((3, size[0], size[1] or size[0]), width=1)


@pytest.mark.parametrize("network", [DCGANGenerator, DCGANDiscriminator])
def test_vectors_are_refused(network):
    with pytest.raises(UserError, match="dcgan takes images, not examples of the shape 2"):
        network((2,))


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("classes", [0, 3])
def test_every_normalizer_and_every_parameter_gets_a_gradient(normalizer, classes):
    generator = DCGANGenerator((1, 16, 16), classes, 5, 4, normalizer)
    discriminator = DCGANDiscriminator((1, 16, 16), classes, 4, normalizer)
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
        assert not any(biases(make((1, 16, 16))))
        assert all(biases(make((1, 16, 16), normalizer=NoNormalizer())))
        assert all(biases(make((1, 16, 16), normalizer=PixelNormalizer())))


def test_batch_norm_is_neither_first_nor_last_in_the_discriminator():
    norms = [m.num_features for m in DCGANDiscriminator((3, 64, 64)).modules() if isinstance(m, BatchNorm)]
    assert norms == [128, 256, 512]


def test_initial_weights():
    network = DCGANGenerator((3, 64, 64))
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
        generator = DCGANGenerator((1, 8, 8), 2, 5, 4, conditional=conditional)
        discriminator = DCGANDiscriminator((1, 8, 8), 2, 4, conditional=conditional)
        assert torch.equal(generator(latents, zeros), generator(latents, ones)) is not conditional
        logits = [discriminator(images, labels).logits for labels in (zeros, ones)]
        assert torch.equal(*logits) is not conditional


def test_an_unconditional_network_has_no_embedding():
    assert parameter_count(DCGANGenerator((3, 64, 64), 10, conditional=False)) == 3_576_704
    assert parameter_count(DCGANDiscriminator((3, 64, 64), 10, conditional=False)) == 2_765_568


def test_projection_is_the_inner_product_with_averaged_features():
    network = DCGANDiscriminator((1, 8, 8), 4, 4, NoNormalizer())
    images, labels = torch.randn(3, 1, 8, 8), torch.tensor([0, 3, 3])
    features = network.features(images)
    weight = network.projection.weight[labels][:, :, None, None] / 16 + network.last.weight
    expected = (features * weight).sum((1, 2, 3)) + network.last.bias
    scores = network(images, labels)
    torch.testing.assert_close(scores.logits, expected)
    assert torch.equal(scores.features[-1], features)


@pytest.mark.parametrize("normalizer", [*NORMALIZERS, EqualizedNormalizer()])
@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 64, 48)])
def test_the_labels_term_starts_no_larger_than_the_rest_of_the_logit(normalizer, shape):
    """Also where all pixels agree, which makes the pooled features as large as they can be."""
    network = DCGANDiscriminator(shape, 400, 8, normalizer)
    features = network.features(torch.randn(1, *shape)).mean((0, 2, 3), keepdim=True)
    terms = network.projection.weight @ features.flatten()
    pixels = network.last.weight[0, 0].numel()
    typical = network.last.weight.square().mean().sqrt() * (features.square().sum() * pixels).sqrt()
    assert 0.1 < terms.std() / typical < 1.2


def test_spectral_norm_is_on_every_weight_of_the_discriminator():
    network = DCGANDiscriminator((1, 16, 16), 10, 4, SpectralNormalizer())
    names = [name for name, _ in network.named_parameters() if not name.endswith("bias")]
    assert len(names) == 4
    assert all("parametrizations.weight.original" in name for name in names)


def test_a_label_is_at_first_as_long_as_a_one_hot_vector_unless_told_otherwise():
    for given, expected in (({}, 1.0), ({"label_length": 8.0}, 8.0)):
        vectors = DCGANGenerator((1, 8, 8), 300, 100, 2, **given).embedding.weight
        assert vectors.square().sum(1).mean().sqrt().item() == pytest.approx(expected, rel=0.02)


def test_a_classifier_is_linear_in_all_of_the_last_maps_and_does_not_see_the_label():
    network = DCGANDiscriminator((1, 8, 8), 4, 4, NoNormalizer(), conditioning="classifier").double()
    images, labels = torch.randn(3, 1, 8, 8, dtype=torch.float64), torch.tensor([0, 3, 3])
    features = network.features(images)
    scores = network(images, labels)
    expected = torch.einsum("nchw,kchw->nk", features, network.classifier.weight) + network.classifier.bias
    torch.testing.assert_close(scores.class_scores, expected)
    assert torch.equal(scores.logits, network.last(features).flatten())
    assert torch.equal(scores.logits, network(images, labels.flip(0)).logits)


def test_a_label_beside_the_latents_is_one_hot():
    generator = DCGANGenerator((1, 8, 8), 3, 5, 4, NoNormalizer(), conditioning="concatenated").double()
    latents, labels = torch.randn(2, 5, dtype=torch.float64), torch.tensor([0, 2])
    vectors = torch.cat([latents, torch.eye(3, dtype=torch.float64)[labels]], 1)
    assert torch.equal(generator(latents, labels), generator.layers(vectors[:, :, None, None]))


def test_a_label_modulates_every_normalization_by_gains_and_biases_of_its_own():
    generator = DCGANGenerator((1, 16, 16), 3, 5, 4, conditioning="normalization").double().eval()
    latents, labels = torch.randn(2, 5, dtype=torch.float64), torch.tensor([0, 2])
    features = latents[:, :, None, None]
    for index in range(0, 6, 3):
        convolution, norm = generator.layers[index], generator.layers[index + 1]
        features = convolution(features) / (1 + norm.norm.eps) ** 0.5  # running averages start at 0 and 1
        gain, bias = ((part.weight.T)[labels][:, :, None, None] for part in (norm.gain, norm.bias))
        features = torch.relu(features * (1 + gain) + bias)
    torch.testing.assert_close(generator(latents, labels), torch.tanh(generator.layers[6](features)))
    with pytest.raises(UserError, match="leaves their outputs as they are"):
        DCGANGenerator((1, 8, 8), 3, 5, 4, NoNormalizer(), conditioning="normalization")
