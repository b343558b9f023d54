from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ganlab.evaluation.features import last_features


class Projection(nn.Module):
    """The layer that runs last is an embedding of labels, which sees no features."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 3)
        self.last = weight_norm(nn.Linear(3, 1))
        self.norm = nn.LayerNorm(1)
        self.embedding = nn.Embedding(2, 3)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = self.first(images).relu()
        return (self.norm(self.last(features)) + (self.embedding(labels) * features).sum(1, keepdim=True)).flatten()


def test_features_are_the_input_of_the_last_layer_with_a_weight() -> None:
    network, images, labels = Projection(), torch.randn(5, 4), torch.zeros(5, dtype=torch.int64)
    features = last_features(network, lambda: network(images, labels))
    torch.testing.assert_close(features, network.first(images).relu())
    features.sum().backward()
    assert network.first.weight.grad is not None
    assert not any(layer._forward_pre_hooks for layer in network.modules())


def test_features_of_a_convolutional_network_keep_their_pixels() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 2))
    features = last_features(network, lambda: network(torch.randn(3, 1, 4, 4)))
    assert features.shape == (3, 2, 2, 2)
