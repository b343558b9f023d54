"""A small network that tells the class of each pixel, and learns it from the reals of a run."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

_BATCH = 16


class SegmentationNetwork(nn.Module):
    """Images (N, C, H, W), bytes, to logits (N, classes, H, W): dilated convolutions, and the means of the whole image.

    Args:
        channels: of the images.
        classes: of the maps.
        width: channels inside.
        seed: seed of the initial weights and of the order of examples.
    """

    def __init__(self, channels: int, classes: int, width: int, seed: int) -> None:
        super().__init__()
        self.seed = seed
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            layers: list[nn.Module] = []
            for inputs, dilation in ((channels, 1), (width, 1), (width, 2), (width, 4)):
                convolution = nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation, bias=False)
                layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
            self.layers = nn.Sequential(*layers)
            self.last = nn.Conv2d(2 * width, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of each pixel."""
        features = self.layers(images.float() / 127.5 - 1)
        whole = features.mean((2, 3), keepdim=True).expand_as(features)
        logits: Tensor = self.last(torch.cat([features, whole], dim=1))
        return logits

    def segment(self, images: Tensor) -> Tensor:
        """The most likely class of each pixel (N, H, W)."""
        self.eval()
        with torch.no_grad():
            return torch.cat([self(part).argmax(1) for part in images.split(_BATCH)])

    def learn(self, images: Tensor, maps: Tensor, passes: int) -> None:
        """Learn the maps (N, H, W) of images."""
        optimizer = torch.optim.Adam(self.parameters(), lr=4e-3)
        order = torch.Generator().manual_seed(self.seed)
        self.train()
        with torch.enable_grad():
            for _ in range(passes):
                for rows in torch.randperm(len(images), generator=order).split(_BATCH):
                    optimizer.zero_grad()
                    cross_entropy(self(images[rows]), maps[rows]).backward()
                    optimizer.step()
