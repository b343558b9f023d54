"""What the networks of a scale see: patches of 11 pixels, and zeros beyond the border, once."""

import pytest
import torch
from ganlab_layers.none import NoNormalizer
from ganlab_singan.networks import SinGANDiscriminator, SinGANGenerator, width_at
from torch.nn.functional import batch_norm, conv2d, leaky_relu, pad

from ganlab import UserError
from ganlab.testing import parameter_count


def footprint(gradient):
    """First and last row and column that are not 0."""
    rows, columns = (gradient.abs().sum((0, 1)) > 0).nonzero().unbind(1)
    return [int(side) for side in (rows.min(), rows.max(), columns.min(), columns.max())]


@pytest.mark.parametrize("layers", [3, 5])
def test_a_logit_sees_a_patch(layers):
    torch.manual_seed(0)
    network = SinGANDiscriminator(3, width=4, layers=layers, normalizer=NoNormalizer()).double()
    images = torch.randn(1, 3, 24, 20, dtype=torch.float64, requires_grad=True)
    logits = network(images)
    assert logits.shape == (1, 24 - 2 * layers, 20 - 2 * layers)
    (gradient,) = torch.autograd.grad(logits[0, 4, 3], images)
    assert footprint(gradient) == [4, 4 + 2 * layers, 3, 3 + 2 * layers]


def test_a_pixel_is_corrected_by_what_is_around_it():
    torch.manual_seed(0)
    network = SinGANGenerator(3, width=4, normalizer=NoNormalizer()).double()
    noise = torch.randn(1, 3, 24, 20, dtype=torch.float64, requires_grad=True)
    images = network(noise, torch.zeros_like(noise))
    assert images.shape == noise.shape
    (gradient,) = torch.autograd.grad(images[0, :, 12, 9].sum(), noise)
    assert footprint(gradient) == [7, 17, 4, 14]


def test_the_generator_is_padded_once_and_adds_its_correction():
    """The paper's network, written with torch's functions: the padding is at the input, and nowhere else."""
    torch.manual_seed(0)
    network = SinGANGenerator(3, width=8).double()
    noise, image = torch.randn(2, 2, 3, 9, 13, dtype=torch.float64)
    maps = pad(noise + image, (5, 5, 5, 5))
    tensors = network.state_dict()
    for layer in (0, 3, 6, 9, 12):
        name = f"correct.layers.{layer}"
        maps = conv2d(maps, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        if layer < 12:
            norm = f"correct.layers.{layer + 1}"
            maps = batch_norm(maps, None, None, tensors[f"{norm}.weight"], tensors[f"{norm}.bias"], training=True)
            maps = leaky_relu(maps, 0.2)
    torch.testing.assert_close(network(noise, image), image + maps.tanh())


def test_the_published_networks():
    with torch.device("meta"):
        generator, discriminator = SinGANGenerator(3), SinGANDiscriminator(3)
    hidden = (3 * 9 * 32 + 32) + 3 * (32 * 9 * 32 + 32) + 4 * 2 * 32  # convolutions with biases, and batch norms
    assert parameter_count(generator) == hidden + 32 * 9 * 3 + 3
    assert parameter_count(discriminator) == hidden + 32 * 9 + 1
    assert [width_at(scale, 32, 128) for scale in range(13)] == [32] * 4 + [64] * 4 + [128] * 5


def test_initial_weights_are_the_papers():
    torch.manual_seed(0)
    network = SinGANDiscriminator(3, width=64)
    weight, norm = network.judge.layers[3].weight, network.judge.layers[4]
    assert float(weight.std()) == pytest.approx(0.02, rel=0.02)
    assert float(norm.weight.mean()) == pytest.approx(1, abs=0.01)
    assert float(norm.weight.std()) == pytest.approx(0.02, rel=0.3)


def test_images_smaller_than_a_patch_are_refused():
    with pytest.raises(UserError, match="has 11 x 11 pixels, more than an image of 8 x 20"):
        SinGANDiscriminator(3)(torch.zeros(1, 3, 8, 20))
    with pytest.raises(UserError, match="at least 2 layers"):
        SinGANGenerator(3, layers=1)
