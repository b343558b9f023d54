"""What generators and discriminators on their own must do; how they are called is their architecture's affair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor, nn

from ganlab.contracts import DataFacts
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.randomness import Randomness, layer_draws
from ganlab.testing.examples import accepted_facts, build_example
from ganlab.testing.term_checks import FROM_TORCH


def check_generator(name: str) -> None:
    """It is a module with something to train, and is the same whenever it is built from the same seed."""
    _check_network("generators", name)


def check_generator_rows(name: str) -> None:
    """Called with latents and labels, it makes each image of its own row, and draws from the platform's numbers only.

    Left out for one that is called in another way: its architecture's checks see it.
    """
    facts = next(_facts_of("generators", name))
    network = build_example("generators", name, facts).eval()
    latents = Randomness(0, count=6).normal("latents", getattr(network, "latent_size", 0))
    labels = torch.arange(6) % facts.classes if facts.classes else None
    first, again, few = (_called(network, latents, labels, rows, seed) for rows, seed in ((6, 0), (6, 1), (4, 0)))
    assert torch.equal(first, again), f"its layers draw {FROM_TORCH}"
    assert torch.allclose(first[:4], few, atol=1e-4), "an image depends on the others of its batch"


@torch.no_grad()
def _called(network: Any, latents: Tensor, labels: Tensor | None, rows: int, seed: int) -> Tensor:
    torch.manual_seed(seed)
    if not latents.numel():
        raise SkipTest("has no latent_size, so that its architecture knows how it is called")
    with layer_draws(Randomness(0, count=rows)):
        try:
            images = network(latents[:rows], None if labels is None else labels[:rows])
        except (TypeError, AttributeError, RuntimeError) as error:
            raise SkipTest(f"its architecture knows how it is called ({error})") from error
    if not isinstance(images, Tensor):
        raise SkipTest("makes more than images")
    return images


def check_discriminator(name: str) -> None:
    """It is a module with something to train, and is the same whenever it is built from the same seed."""
    _check_network("discriminators", name)


def _check_network(kind: str, name: str) -> None:
    for facts in _facts_of(kind, name):
        network, again = (build_example(kind, name, facts) for _ in range(2))
        assert isinstance(network, nn.Module), f"{type(network).__name__} is no torch.nn.Module"
        assert any(parameter.requires_grad for parameter in network.parameters()), "there is nothing to train"
        for key, value in network.state_dict().items():
            assert torch.equal(value, again.state_dict()[key]), f"{key} is not determined by torch's seed"
        with torch.device("meta"):
            shapes = {key: value.shape for key, value in build_example(kind, name, facts).state_dict().items()}
        assert shapes == {key: value.shape for key, value in network.state_dict().items()}, "differs on the meta device"


def _facts_of(kind: str, name: str) -> Iterator[DataFacts]:
    """The example data that a network takes; its own `example_facts`, if its class has them."""
    own: DataFacts | None = getattr(load(find(kind, name)), "example_facts", None)
    if own is not None:
        yield own
        return
    yield from (facts for _, facts in accepted_facts(lambda facts: build_example(kind, name, facts)))
