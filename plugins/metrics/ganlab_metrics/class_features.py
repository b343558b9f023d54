"""A small network that learns the classes of the run's own data, for features and for accuracy scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganlab import DataFacts, UserError
from ganlab.bounds import Examples, Seed, Steps
from ganlab_metrics.network_extractor import hash_of_tensors
from ganlab_metrics.plain_features import reduced

_BATCH = 64
_FEATURES = 128


class ClassFeatures:
    """What the layer before the last sees, of a small network that was trained on the classes of the training's images.

    It needs no download and knows what matters in these data, as far as their classes say so. `logits` are the
    classes' scores. What was learned is kept by the data's fingerprint; numbers of other data, or of another training
    of the network, are not to be compared.

    Args:
        facts: Facts of the data.
        size: pixels a side that it sees, at most.
        width: channels of its first layer.
        passes: how often it sees the examples.
        examples: training images that it learns from.
        seed: Seed of its weights and of the order of the examples.
    """

    example: ClassVar[Mapping[str, Any]] = {"passes": 1, "size": 8, "width": 4}

    def __init__(
        self,
        facts: DataFacts,
        size: Annotated[int, Ge(8), Le(1024)] = 32,
        width: Annotated[int, Ge(1), Le(4096)] = 32,
        passes: Steps = 8,
        examples: Examples = 20_000,
        seed: Seed = 0,
    ) -> None:
        if facts.classes < 2 or not facts.is_images:
            raise UserError(
                f"the extractor 'classifier' learns the classes of images, and these data have {facts.classes}; take "
                "pca, random_network or efficientnet_lite0"
            )
        self.size = size
        self.passes = passes
        self.examples = examples
        self.seed = seed
        self._network = small_network(facts.image_shape[0], facts.classes, width, seed)
        options = {"size": size, "width": width, "passes": passes, "examples": examples, "seed": seed}
        self.protocol: dict[str, object] = {"network": "classifier", **options, "data": facts.fingerprint}

    def learn(self, reals: Iterable[tuple[Tensor, Tensor | None]]) -> None:
        """Train the network."""
        blocks = list(reals)
        images = torch.cat([reduced(shown, self.size).cpu() for shown, _ in blocks])
        labels = torch.cat([given.cpu() for _, given in blocks if given is not None])
        train_on(self._network, images, labels, self.passes, self.seed)

    def state(self) -> dict[str, Tensor]:
        """The network's tensors."""
        return dict(self._network.state_dict())

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over the network's tensors."""
        self._network.load_state_dict(dict(state))
        self._network.eval().requires_grad_(False)
        self.protocol["weights"] = hash_of_tensors(self._network)

    def __call__(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) to features (N, 128)."""
        features: Tensor = self._network[:-1].to(images.device)(reduced(images, self.size))  # type: ignore[index]
        return features

    def logits(self, features: Tensor) -> Tensor:
        """Class scores (N, classes) of features."""
        scores: Tensor = self._network[-1].to(features.device)(features)  # type: ignore[index]
        return scores


def small_network(channels: int, classes: int, width: int, seed: int) -> nn.Sequential:
    """A residual-free convolutional network of any image size; its last layer makes class scores of 128 features."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        before = channels
        for factor in (1, 2, 4):
            layers += [
                nn.Conv2d(before, factor * width, 3, padding=1, bias=False),
                nn.BatchNorm2d(factor * width),
                nn.ReLU(),
                nn.MaxPool2d(2, ceil_mode=True),
            ]
            before = factor * width
        head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * before, _FEATURES), nn.ReLU()]
        return nn.Sequential(*layers, *head, nn.Linear(_FEATURES, classes))


def train_on(network: nn.Module, images: Tensor, labels: Tensor, passes: int, seed: int) -> None:
    """Train a network on images with values from 0 to 1, with Adam and a learning rate that falls like a cosine."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    steps = passes * math.ceil(len(images) / _BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    network.train().requires_grad_(True)
    with torch.enable_grad():
        for _ in range(passes):
            for places in torch.randperm(len(images), generator=generator).split(_BATCH):
                optimizer.zero_grad()
                cross_entropy(network(images[places]), labels[places]).backward()
                optimizer.step()
                schedule.step()
    _measure_normalization(network, images)
    network.eval().requires_grad_(False)


def _measure_normalization(network: nn.Module, images: Tensor) -> None:
    """Statistics of normalization over all images: running ones lag behind in a short training."""
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a mean over all that is seen
    with torch.no_grad():
        for block in images.split(_BATCH):
            network(block)
