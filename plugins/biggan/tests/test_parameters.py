"""Numbers of trainable parameters against the papers and the code that others published, on the meta device.

BigGAN's table 1 leaves the embedding of the classes out where it is shared: 128,000 weights for ImageNet.
"""

from __future__ import annotations

import pytest
import torch
from ganlab_biggan.biggan import BigGANDiscriminator, BigGANGenerator
from ganlab_biggan.deep import BigGANDeepDiscriminator, BigGANDeepGenerator
from ganlab_biggan.sagan import SAGANDiscriminator, SAGANGenerator
from ganlab_biggan.sndcgan import SNDCGANDiscriminator, SNDCGANGenerator
from ganlab_biggan.sngan import SNGANDiscriminator, SNGANGenerator

from ganlab.testing import parameter_count

IMAGENET = 1000
JFT = 18_292  # the paper says 18K; from this number of classes on, to 18,295, all its four totals agree
PLAIN = {"shared": 0, "skip": "none", "latent_size": 128}


def count(make, resolution, classes, options):
    with torch.device("meta"):
        network = make((3, resolution, resolution), classes, **options)
    return parameter_count(network)


@pytest.mark.parametrize(
    ("resolution", "classes", "options", "generator", "discriminator"),
    [
        (128, IMAGENET, {}, 70_433_988, 87_982_370),
        (128, IMAGENET, {"width": 64}, 31_978_628, 39_448_258),
        (128, IMAGENET, {"skip": "none"}, 72_792_516, 87_982_370),
        (128, IMAGENET, {"skip": "none", "latent_size": 120}, 72_595_908, 87_982_370),
        (128, IMAGENET, PLAIN, 85_556_164, 87_982_370),
        (128, IMAGENET, PLAIN | {"width": 64}, 42_017_412, 39_448_258),
        (256, IMAGENET, {}, 82_235_844, 99_225_890),
        (256, IMAGENET, {"attention": [128]}, 82_097_604, None),
        (512, IMAGENET, {}, 82_468_068, 99_401_282),
        (512, IMAGENET, {"latent_size": 128}, 82_296_804, 99_401_282),
        (64, IMAGENET, {"width": 64, "latent_size": 120, "attention": [32]}, 31_969_540, 20_571_842),
        (32, 10, PLAIN | {"width": 64}, 4_304_387, 4_207_361),
    ],
)
def test_biggan(resolution, classes, options, generator, discriminator):
    assert count(BigGANGenerator, resolution, classes, options) == generator
    shared = {name: value for name, value in options.items() if name in ("width", "attention")}
    if discriminator is not None:
        assert count(BigGANDiscriminator, resolution, classes, shared) == discriminator


@pytest.mark.parametrize(
    ("resolution", "generator", "discriminator"),
    [
        (128, 50_244_484, 34_590_210),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((64, 49_583_876, 20_869_633), (256, 55_736_708, 38_247_426), (512, 56_019_780, None))
        ),
    ],
)
def test_biggan_deep(resolution, generator, discriminator):
    assert count(BigGANDeepGenerator, resolution, IMAGENET, {}) == generator
    if discriminator is not None:
        assert count(BigGANDeepDiscriminator, resolution, IMAGENET, {}) == discriminator


@pytest.mark.parametrize(
    ("width", "options", "millions"),
    [(64, PLAIN, 317.1), (64, {}, 99.4), (96, {}, 207.9), (128, {}, 355.7)],
)
def test_the_rows_of_jft(width, options, millions):
    total = count(BigGANGenerator, 256, JFT, options | {"width": width})
    total += count(BigGANDiscriminator, 256, JFT, {"width": width})
    shared = 0 if options else JFT * 128
    assert round((total - shared) / 1e6, 1) == millions


@pytest.mark.parametrize(
    ("resolution", "classes", "generator", "discriminator"),
    [
        (128, IMAGENET, 41_996_931, 30_041_857),
        (128, 0, 32_150_787, 29_017_857),
        (32, 0, 4_276_739, 1_053_825),
    ],
)
def test_sngan(resolution, classes, generator, discriminator):
    assert count(SNGANGenerator, resolution, classes, {"width": 64}) == generator
    assert count(SNGANDiscriminator, resolution, classes, {"width": 64}) == discriminator


def test_sagan():
    assert count(SAGANGenerator, 128, IMAGENET, {}) == 42_017_412
    assert count(SAGANDiscriminator, 128, IMAGENET, {}) == 39_448_258


def test_sndcgan():
    """Layer by layer: 3x3 and 4x4 convolutions with biases, batch norms with gains and biases."""
    widening = sum(9 * a * b + b for a, b in [(3, 64), (64, 128), (128, 256), (256, 512)])
    halving = sum(16 * a * a + a for a in (64, 128, 256))
    assert count(SNDCGANDiscriminator, 32, 0, {}) == widening + halving + 512 * 16 + 1
    doubling = sum(16 * a * b + b for a, b in [(512, 256), (256, 128), (128, 64)])
    norms = 2 * (512 + 256 + 128 + 64)
    assert count(SNDCGANGenerator, 32, 0, {}) == 129 * 512 * 16 + doubling + norms + 9 * 64 * 3 + 3
