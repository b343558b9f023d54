"""Batches in parts, with the statistics of the whole batch."""

from __future__ import annotations

import pytest
import torch
from ganlab_biggan.architecture import BigGAN

from ganlab.contracts import Batch
from ganlab.randomness import Randomness
from ganlab.testing.examples import EXAMPLE_FACTS, example_module

FACTS = EXAMPLE_FACTS["images with classes"]
SIZE = 64


def gradients_of(player, part, monkeypatch, synchronise=True):
    """The gradients and buffers of one update of a player, and the fakes that it made, in float64."""
    norm = {"name": "conditional_batch", "linear": "spectral", "synchronise": synchronise}
    generator = BigGAN.example["generator"] | {"normalizer": ["spectral", norm], "width": 4}
    monkeypatch.setattr(BigGAN, "example", BigGAN.example | {"generator": generator})
    module = example_module("biggan", FACTS, batch_size=SIZE, micro_batch=part).double()
    module.configure_optimizers()
    for optimizer in module.player_optimizers.values():
        optimizer.step = lambda: None
    module.train()
    random = Randomness(0, count=SIZE)
    images = random.uniform("images", *FACTS.shape).double() * 2 - 1
    made = []
    monkeypatch.setattr(module, "_made", lambda batch: made.append(module.fakes(batch)) or made[-1])
    monkeypatch.setattr(module, "draw_latents", lambda random: random.normal("latents", 9).double())
    module.update(player, module.terms_of(player), Batch(images, torch.arange(SIZE) % 3, random))
    gradients = torch.cat([p.grad.flatten() for p in module.trainable[player]])
    return gradients, torch.cat([fakes.images.detach() for fakes in made]), dict(module.named_buffers())


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_fakes_and_running_averages_are_those_of_the_whole_batch(player, monkeypatch):
    whole, images, buffers = gradients_of(player, None, monkeypatch)
    parts, images_of_parts, buffers_of_parts = gradients_of(player, 16, monkeypatch)
    torch.testing.assert_close(images_of_parts, images)
    for name, value in buffers.items():
        torch.testing.assert_close(buffers_of_parts[name], value, msg=name)
    if player == "discriminator":
        torch.testing.assert_close(parts, whole)


def test_the_generators_gradient_is_nearer_to_that_of_the_whole_batch_than_with_statistics_of_parts(monkeypatch):
    whole, *_ = gradients_of("generator", None, monkeypatch)
    shared, *_ = gradients_of("generator", 16, monkeypatch)
    apart, *_ = gradients_of("generator", 16, monkeypatch, synchronise=False)
    similar = [torch.cosine_similarity(each, whole, dim=0).item() for each in (shared, apart)]
    assert similar[0] > 0.98
    assert similar[0] > similar[1]
