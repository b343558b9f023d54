"""Matching in the features of VGG19."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from ganlab_metrics.weights import KnownWeights, fit, read_weights
from torch import Tensor, nn

from ganlab import UserError, Views
from ganlab.nn import Frozen

WEIGHTS = KnownWeights(
    "VGG19 (torchvision)", "vgg19-dcbb9e9d.pth", "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
)

SHARES: Mapping[int, float] = {1: 1 / 32, 6: 1 / 16, 11: 1 / 8, 20: 1 / 4, 29: 1.0}
"""How much the first rectifier of each size counts, by its place among torchvision's layers."""


class PerceptualMatching(nn.Module):
    """Fakes should have the features of their targets in VGG19, which knows photographs (Johnson et al., 2016).

    Mean absolute differences behind relu1_1 to relu5_1, weighted by 1/32, 1/16, 1/8, 1/4 and 1, as in pix2pixHD and
    SPADE, whose code gives VGG19 images in [-1, 1] as they are. Grey images are shown in three channels. The weights
    are read from this machine and are no part of checkpoints.

    Args:
        weights: a file of torchvision's weights of VGG19, where it is not where torch keeps its downloads.
        normalise: shift and scale the channels as VGG19 was trained, which the authors do not.
    """

    side: ClassVar[str] = "generator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_images", "fake_images"})

    def __init__(self, weights: str | None = None, normalise: bool = False) -> None:
        super().__init__()
        path = WEIGHTS.find(weights)
        layers = _layers()
        found = read_weights(path, WEIGHTS.network)
        kept = {name.removeprefix("features."): value for name, value in found.items() if name.startswith("features.")}
        wanted = layers.state_dict()
        fit(layers, {name: value for name, value in kept.items() if name in wanted}, path, WEIGHTS.network)
        self.network = Frozen(layers)
        self.normalise = normalise
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False)

    def penalty(self, views: Views) -> Tensor:
        """The weighted sum of the mean absolute differences."""
        fakes, reals = views.fake_images, views.real_images
        with torch.no_grad():
            targets = self._features(reals)
        pairs = zip(SHARES.values(), self._features(fakes), targets, strict=True)
        return torch.stack([share * (fake - target).abs().mean() for share, fake, target in pairs]).sum()

    def _features(self, images: Tensor) -> list[Tensor]:
        if images.dim() != 4 or images.shape[1] not in (1, 3):
            raise UserError("'perceptual_matching' looks at grey or RGB images, which these are not: leave it out")
        shown = images.expand(-1, 3, -1, -1)
        if self.normalise:
            shown = ((shown + 1) / 2 - self.mean) / self.deviation
        found = []
        for index, layer in enumerate(self.network.network):  # type: ignore[arg-type]
            shown = layer(shown)
            if index in SHARES:
                found.append(shown)
        return found


def _layers() -> nn.Sequential:
    """The layers up to the last that is looked at; none works in place."""
    from torchvision.models import vgg19

    layers = list(vgg19(weights=None, init_weights=False).features)[: max(SHARES) + 1]
    return nn.Sequential(*(nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in layers))
