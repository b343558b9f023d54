"""VGG16, in whose features improved precision and recall was published, and LPIPS, a distance made of it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ganlab.bounds import Side
from ganlab_metrics.network_extractor import DType, NetworkExtractor
from ganlab_metrics.resizing import Resize
from ganlab_metrics.weights import KnownWeights, fit, hash_of, read_weights

WEIGHTS = KnownWeights(
    "VGG16 (torchvision)", "vgg16-397923af.pth", "https://download.pytorch.org/models/vgg16-397923af.pth"
)
LPIPS_WEIGHTS = KnownWeights(
    "LPIPS for VGG16",
    "weights-vgg16-lpips.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-vgg16-lpips.pth",
)

_SLICES = (3, 8, 15, 22, 29)  # the layers behind which LPIPS looks
# Those of LPIPS, for values from 0 to 255.
_LPIPS_NORMALISE = (
    tuple(255 * (1 + shift) / 2 for shift in (-0.030, -0.088, -0.188)),
    tuple(255 * scale / 2 for scale in (0.458, 0.448, 0.450)),
)


class VGG16(NetworkExtractor):
    """VGG16 with torchvision's weights: 4096 numbers of the second fully connected layer, as torch-fidelity has it.

    These are not the weights that precision and recall were published with: those give other numbers.

    Args:
        layer: `fc2`, or `fc2_relu` behind its ReLU.
        resize: how images become 224 pixels a side.
        dtype: what it computes in.
        weights: a file, where it is not where torch keeps its downloads.
    """

    def __init__(
        self,
        layer: Literal["fc2", "fc2_relu"] = "fc2_relu",
        resize: Resize = "tf1_bilinear",
        dtype: DType = "float32",
        weights: str | None = None,
    ) -> None:
        self._path = WEIGHTS.find(weights)
        self.layer = layer
        super().__init__(self._make_network, "vgg16", hash_of(self._path), 224, resize, dtype=dtype)
        self.protocol["layer"] = layer

    def _make_network(self) -> nn.Module:
        network = _vgg16()
        fit(network, read_weights(self._path, WEIGHTS.network), self._path, WEIGHTS.network)
        kept = 4 if self.layer == "fc2" else 5
        network.classifier = network.classifier[:kept]  # type: ignore[index]
        return network


class LPIPS(NetworkExtractor):
    """LPIPS (Zhang et al., 2018) with VGG16 as an extractor: squared distances of its features are LPIPS.

    The features are the maps of five layers, of unit length at each place and weighted, so they are many: 7,800 for
    each 8 x 8 pixels. Metrics that keep the features of all images should take another extractor.

    Args:
        size: pixels a side that images are resized to; null leaves them as they are.
        dtype: what it computes in.
        weights: a file of VGG16's weights, where it is not where torch keeps its downloads.
        linear: a file of the weights of LPIPS itself, likewise.
    """

    def __init__(
        self,
        size: Side | None = None,
        dtype: DType = "float32",
        weights: str | None = None,
        linear: str | None = None,
    ) -> None:
        self._path, self._linear = WEIGHTS.find(weights), LPIPS_WEIGHTS.find(linear)
        hashes = f"{hash_of(self._path)}-{hash_of(self._linear)}"
        super().__init__(self._make_network, "lpips", hashes, size, "bilinear", _LPIPS_NORMALISE, dtype)

    def _make_network(self) -> nn.Module:
        network = _vgg16()
        fit(network, read_weights(self._path, WEIGHTS.network), self._path, WEIGHTS.network)
        linear = read_weights(self._linear, LPIPS_WEIGHTS.network)
        weights = [linear[f"lin{index}.model.1.weight"].flatten() for index in range(len(_SLICES))]
        return LPIPSMaps(network.features, weights)  # type: ignore[arg-type]


class LPIPSMaps(nn.Module):
    """Maps of layers, of which the squared distance is the weighted one of LPIPS.

    `layers` are those of VGG16 in their order, `weights` those of the channels behind each place that is looked at.
    """

    def __init__(self, layers: nn.Sequential, weights: list[Tensor]) -> None:
        super().__init__()
        self.layers = layers[: _SLICES[-1] + 1]
        for index, weight in enumerate(weights):
            self.register_buffer(f"weight{index}", weight.clamp(min=0).sqrt())

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to (N, D)."""
        found = []
        for index, layer in enumerate(self.layers):
            images = layer(images)
            if index in _SLICES:
                found.append(self._unit(images, _SLICES.index(index)))
        return torch.cat(found, dim=1)

    def _unit(self, maps: Tensor, index: int) -> Tensor:
        unit = maps / (maps.square().sum(1, keepdim=True).sqrt() + 1e-10)
        weight: Tensor = getattr(self, f"weight{index}")
        places = maps.shape[2] * maps.shape[3]
        return (unit * weight[:, None, None] / places**0.5).flatten(1)


def _vgg16() -> nn.Module:
    from torchvision.models import vgg16

    network: nn.Module = vgg16(weights=None, init_weights=False)
    return network
