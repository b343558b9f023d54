"""What generators and discriminators on their own must do; how they are called is their architecture's affair."""

from __future__ import annotations

import torch
from torch import nn

from ganlab.testing.examples import accepted_facts, build_example


def check_generator(name: str) -> None:
    """It is a module with something to train, and is the same whenever it is built from the same seed."""
    _check_network("generators", name)


def check_discriminator(name: str) -> None:
    """It is a module with something to train, and is the same whenever it is built from the same seed."""
    _check_network("discriminators", name)


def _check_network(kind: str, name: str) -> None:
    for _, facts in accepted_facts(lambda facts: build_example(kind, name, facts)):
        network, again = (build_example(kind, name, facts) for _ in range(2))
        assert isinstance(network, nn.Module), f"{type(network).__name__} is no torch.nn.Module"
        assert any(parameter.requires_grad for parameter in network.parameters()), "there is nothing to train"
        for key, value in network.state_dict().items():
            assert torch.equal(value, again.state_dict()[key]), f"{key} is not determined by torch's seed"
        with torch.device("meta"):
            shapes = {key: value.shape for key, value in build_example(kind, name, facts).state_dict().items()}
        assert shapes == {key: value.shape for key, value in network.state_dict().items()}, "differs on the meta device"
