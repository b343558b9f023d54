"""What wrappers of latents must do."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import DataFacts, Fakes, Scores
from ganlab.randomness import Randomness
from ganlab.testing.examples import build_example

_FACTS = DataFacts((1, 8, 8), 24, "example")


def check_latent_wrapper(name: str) -> None:
    """Fakes keep their number and shape, are determined by the random key, and pass gradients to the generator."""
    wrapper = build_example("latents", name, _FACTS)
    first, again = (_wrapped(wrapper, 0) for _ in range(2))
    assert isinstance(first, Fakes), f"it returns {type(first).__name__}, not the fakes that make(latents) made"
    assert first.images.shape == (6, *_FACTS.shape), f"6 latents become images of shape {tuple(first.images.shape)}"
    assert len(first.latents) == 6, f"6 latents become {len(first.latents)}"
    assert torch.isfinite(first.images).all(), "fakes are not finite"
    assert torch.equal(first.images, again.images), "the same random key gives other fakes"
    for term, value in first.terms.items():
        assert value.shape == (), f"the term '{term}' has the shape {tuple(value.shape)} and is no scalar"
    assert first.images.requires_grad, "no gradient reaches the generator"


def _wrapped(wrapper: Any, seed: int) -> Fakes:
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(4, _FACTS.dimensions), nn.Linear(_FACTS.dimensions, 1)

    def make(latents: Tensor) -> Fakes:
        return Fakes(images=generator(latents).view(-1, *_FACTS.shape), latents=latents)

    def judge(fakes: Fakes) -> Scores:
        return Scores(logits=discriminator(fakes.images.flatten(1)).flatten())

    random = Randomness(seed, count=6)
    made: Fakes = wrapper(make, random.normal("latents", 4), judge=judge, random=random)
    return made
