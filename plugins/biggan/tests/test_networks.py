"""Layers and networks against independent computations."""

from __future__ import annotations

import pytest
import torch
from ganlab_biggan.attention import SelfAttention
from ganlab_biggan.biggan import BigGANDiscriminator, BigGANGenerator
from ganlab_biggan.blocks import DiscriminatorBlock, GeneratorBlock
from ganlab_biggan.deep import BigGANDeepDiscriminator, BigGANDeepGenerator
from ganlab_biggan.deep_blocks import DeepDiscriminatorBlock, DeepGeneratorBlock
from ganlab_biggan.initialisation import initialisation
from ganlab_biggan.making import Making
from ganlab_biggan.sagan import SAGANDiscriminator, SAGANGenerator
from ganlab_biggan.sndcgan import SNDCGANDiscriminator, SNDCGANGenerator
from ganlab_biggan.sngan import SNGANDiscriminator, SNGANGenerator
from ganlab_layers.batch import ConditionalBatchNormalizer
from ganlab_layers.none import NoNormalizer
from torch.nn.functional import avg_pool2d, conv2d, interpolate, relu

from ganlab.errors import UserError
from ganlab.nn import SpectralNorm

SMALL = {"width": 4, "multipliers": [2, 2, 1]}
PAIRS = {
    "sngan": (SNGANGenerator, SNGANDiscriminator),
    "sagan": (SAGANGenerator, SAGANDiscriminator),
    "biggan": (BigGANGenerator, BigGANDiscriminator),
    "biggan_deep": (BigGANDeepGenerator, BigGANDeepDiscriminator),
    "sndcgan": (SNDCGANGenerator, SNDCGANDiscriminator),
}

pytestmark = pytest.mark.usefixtures("seeded")


def options_of(name, growing=False):
    multipliers = [1, 2, 2] if growing and name == "biggan_deep" else SMALL["multipliers"]
    return {"width": 4} if name == "sndcgan" else SMALL | {"multipliers": multipliers}


def plain(normalizer=None):
    return Making(normalizer or NoNormalizer(), initialisation("glorot", 2**0.5))


def test_attention_takes_from_every_pixel_by_the_similarity_of_queries_and_keys():
    layer = SelfAttention(16, plain()).double()
    torch.nn.init.constant_(layer.strength, 0.7)
    features = torch.randn(2, 16, 6, 4, dtype=torch.float64)
    query, key, value = (conv2d(features, part.weight) for part in (layer.query, layer.key, layer.value))
    expected = features.clone()
    for image in range(2):
        pooled = [
            (key[image, :, y : y + 2, x : x + 2].amax((1, 2)), value[image, :, y : y + 2, x : x + 2].amax((1, 2)))
            for y in range(0, 6, 2)
            for x in range(0, 4, 2)
        ]
        for y in range(6):
            for x in range(4):
                similar = torch.stack([(query[image, :, y, x] * each).sum() for each, _ in pooled]).exp()
                taken = sum(share * each for share, (_, each) in zip(similar / similar.sum(), pooled, strict=True))
                expected[image, :, y, x] += 0.7 * layer.output.weight[:, :, 0, 0] @ taken
    torch.testing.assert_close(layer(features), expected)
    assert (layer.query.out_channels, layer.value.out_channels) == (2, 8)
    torch.nn.init.zeros_(layer.strength)
    assert torch.equal(layer(features), features)


def test_a_block_of_the_generator_is_its_formula():
    block = GeneratorBlock(16, 8, 5, plain(ConditionalBatchNormalizer(eps=1e-4))).double()
    features, vector = torch.randn(3, 16, 8, 8, dtype=torch.float64), torch.randn(3, 5, dtype=torch.float64)

    def normalized(images, activation):
        centred = images - images.mean((0, 2, 3), keepdim=True)
        images = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-4).sqrt()
        gain = 1 + vector @ activation.norm.gain.weight.t()
        bias = vector @ activation.norm.bias.weight.t()
        return relu(images * gain[:, :, None, None] + bias[:, :, None, None])

    def convolved(images, layer):
        return conv2d(images, layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2)

    inside = convolved(interpolate(normalized(features, block.before), scale_factor=2), block.enlarge)
    inside = convolved(normalized(inside, block.between), block.convolve)
    expected = inside + convolved(interpolate(features, scale_factor=2), block.shortcut)
    torch.testing.assert_close(block(features, vector), expected)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("hidden", ["in", "out"])
def test_a_block_of_the_discriminator_is_its_formula(is_first, hidden):
    block = DiscriminatorBlock(8, 16, plain(), halves=True, is_first=is_first, hidden=hidden).double()
    features = torch.randn(2, 8, 16, 16, dtype=torch.float64)
    inside = features if is_first else relu(features)
    inside = relu(conv2d(inside, block.first.weight, block.first.bias, padding=1))
    assert inside.shape[1] == (8 if hidden == "in" and not is_first else 16)
    inside = avg_pool2d(conv2d(inside, block.second.weight, block.second.bias, padding=1), 2)
    beside = avg_pool2d(conv2d(features, block.shortcut.weight, block.shortcut.bias), 2)
    torch.testing.assert_close(block(features), inside + beside)


def test_bottlenecks_drop_and_add_channels_beside_their_convolutions():
    making = plain()
    features = torch.randn(2, 8, 4, 4)
    up = DeepGeneratorBlock(8, 4, None, making, enlarges=True)
    torch.nn.init.zeros_(up.convolutions[-1].weight)
    torch.testing.assert_close(up(features), interpolate(features[:, :4], scale_factor=2))
    down = DeepDiscriminatorBlock(8, 12, making, halves=True)
    torch.nn.init.zeros_(down.layers[-1].weight)
    pooled = avg_pool2d(features, 2)
    torch.testing.assert_close(down(features)[:, :8], pooled)
    torch.testing.assert_close(down(features)[:, 8:], conv2d(pooled, down.missing.weight, down.missing.bias))
    inside = features
    for layer in down.layers[1:-1:2]:
        inside = conv2d(relu(inside), layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2)
    torch.nn.init.normal_(down.layers[-1].weight)
    expected = conv2d(avg_pool2d(relu(inside), 2), down.layers[-1].weight, down.layers[-1].bias)
    torch.testing.assert_close(down(features) - torch.cat([pooled, down.missing(pooled)], 1), expected)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", PAIRS)
def test_everything_learns(name, classes):
    make_generator, make_discriminator = PAIRS[name]
    generator = make_generator((2, 16, 16), classes, **options_of(name))
    discriminator = make_discriminator((2, 16, 16), classes, **options_of(name, growing=True))
    for network in (generator, discriminator):
        for part in network.modules():
            if isinstance(part, SelfAttention):
                torch.nn.init.ones_(part.strength)
    labels = torch.arange(16) % 3 if classes else None  # so many that no rectifier is closed for all of them
    images = generator(torch.randn(16, generator.latent_size), labels)
    assert images.shape == (16, 2, 16, 16)
    assert images.abs().max() <= 1
    logits = discriminator(images, labels).logits
    assert logits.shape == (16,)
    logits.square().sum().backward()
    for network in (generator, discriminator):
        silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum()]
        assert not silent


@pytest.mark.parametrize("name", PAIRS)
def test_a_mixture_of_one_class_is_that_class(name):
    generator = PAIRS[name][0]((1, 16, 16), 3, **options_of(name)).eval()
    latents, labels = torch.randn(3, generator.latent_size), torch.tensor([0, 2, 1])
    for part in generator.modules():
        if hasattr(part, "gain") and isinstance(getattr(part, "gain", None), torch.nn.Linear):
            torch.nn.init.normal_(part.gain.weight)
    with torch.no_grad():
        whole = generator(latents, labels)
        torch.testing.assert_close(generator(latents, torch.eye(3)[labels]), whole)
        between = generator(latents, torch.full((3, 3), 1 / 3))
    assert not torch.allclose(between, whole)


def test_each_block_has_a_chunk_of_the_latents():
    generator = BigGANGenerator((1, 16, 16), 3, shared=4, latent_size=9, **SMALL)
    latents, labels = torch.randn(2, 9), torch.tensor([1, 2])
    first, vectors = generator.conditions(latents, labels)
    assert torch.equal(first, latents[:, :3])
    assert len(vectors) == 2
    for index, vector in enumerate(vectors, 1):
        assert torch.equal(vector[:, :3], latents[:, 3 * index : 3 * index + 3])
        assert torch.equal(vector[:, 3:], generator.conditions.embedding.weight[labels])
    assert BigGANGenerator((3, 128, 128), 3, width=1).latent_size == 120


def test_spectral_norms_start_near_one_and_filters_orthogonal():
    generator = BigGANGenerator((3, 16, 16), 3, width=8, multipliers=[2, 2, 1])
    norms = [part for part in generator.modules() if isinstance(part, SpectralNorm)]
    assert len(norms) == 2 + 3 * 2 + 4 * 2  # the first and last layer, convolutions, gains and biases
    generator.eval()
    for part in generator.modules():
        if hasattr(part, "parametrizations"):
            weight = part.weight.flatten(1)
            assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.02)
    stored = generator.stages[0][0].convolve.parametrizations.weight.original.flatten(1)
    torch.testing.assert_close(stored @ stored.t(), torch.eye(16), atol=1e-5, rtol=0)


def test_the_discriminator_projects_sums_over_pixels_on_classes():
    discriminator = SNGANDiscriminator((1, 16, 16), 3, normalizer=NoNormalizer(), **SMALL)
    images, labels = torch.randn(4, 1, 16, 16), torch.tensor([0, 1, 2, 0])
    scores = discriminator(images, labels)
    summed = discriminator.layers(images).flatten(2).sum(2)
    torch.testing.assert_close(scores.features[0], summed)
    expected = summed @ discriminator.last.weight[0] + discriminator.last.bias
    expected = expected + (summed * discriminator.embedding.weight[labels]).sum(1)
    torch.testing.assert_close(scores.logits, expected)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: BigGANGenerator((2,)), "are for images"),
        (lambda: BigGANGenerator((3, 48, 48)), "no published network for images of 48 x 48 pixels"),
        (lambda: BigGANDiscriminator((3, 48, 48)), "no published network for images of 48 x 48 pixels"),
        (lambda: BigGANGenerator((3, 34, 34), multipliers=[2, 2, 1]), "34 x 34 pixels do not become 1 to 8"),
        (lambda: BigGANGenerator((3, 64, 64), multipliers=[2, 2, 1]), "do not become 1 to 8"),
        (lambda: BigGANGenerator((3, 128, 128), latent_size=128), "take 126, or null for 20"),
        (lambda: BigGANGenerator((3, 32, 32), width=1, attention=[64]), "maps of 64 pixels; .* have 8, 16, 32"),
        (lambda: BigGANDiscriminator((3, 32, 32), 0, 1, attention=[32]), "maps of 32 pixels; .* have 8, 16"),
        (lambda: SNGANDiscriminator((3, 32, 32), multipliers=[1, 1], halvings=3), "'halvings' is 3, and"),
        (
            lambda: BigGANDeepGenerator((3, 16, 16), multipliers=[1, 2, 1]),
            "are 2 and 1: .* of a generator",
        ),
        (
            lambda: BigGANDeepDiscriminator((3, 16, 16), multipliers=[2, 1, 1]),
            "are 2 and 1: .* of a discriminator",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()


def test_sides_may_differ():
    generator = BigGANGenerator((1, 16, 24), 0, latent_size=6, **SMALL)
    discriminator = BigGANDiscriminator((1, 16, 24), 0, **SMALL)
    assert discriminator(generator(torch.randn(2, 6))).logits.shape == (2,)


@pytest.mark.parametrize("name", PAIRS)
def test_a_concatenated_class_joins_the_latents_of_the_first_layer_alone(name):
    generator = PAIRS[name][0]((2, 16, 16), 3, **options_of(name), conditioning="concatenated").eval()
    latents, labels = torch.randn(2, generator.latent_size), torch.tensor([0, 2])
    first, vectors = generator.conditions(latents, labels)
    own = latents.chunk(3, 1)[0] if name == "biggan" else latents
    embedding = getattr(generator.conditions.embedding, "weight", torch.eye(3))
    assert torch.equal(first, torch.cat([own, embedding[labels]], 1))
    of_latents = {"biggan": latents.chunk(3, 1)[1], "biggan_deep": latents}.get(name)
    assert vectors[0] is None if of_latents is None else torch.equal(vectors[0], of_latents)
    assert not torch.equal(generator(latents, labels), generator(latents, labels.flip(0)))


def test_the_classifier_is_a_layer_of_its_own_beneath_spectral_norm():
    network = SNGANDiscriminator((2, 16, 16), 3, **SMALL, conditioning="classifier").double().eval()
    images, labels = torch.randn(4, 2, 16, 16, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    scores = network(images, labels)
    features = network.layers(images).sum((2, 3))
    for layer, outputs in ((network.last, scores.logits[:, None]), (network.classifier, scores.class_scores)):
        weight = layer.parametrizations.weight.original
        estimate = layer.parametrizations.weight[0].singular_value(weight)
        torch.testing.assert_close(outputs, features @ (weight / estimate).T + layer.bias)
