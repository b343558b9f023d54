"""Inception-v3 as TensorFlow's graph of 2015-12-05 has it: the network of published FIDs and Inception Scores."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn, relu_
from torch_fidelity import feature_extractor_inceptionv3 as parts

from ganlab import UserError
from ganlab_metrics.network_extractor import DType, NetworkExtractor, fold_normalization
from ganlab_metrics.resizing import Resize
from ganlab_metrics.weights import KnownWeights, fit, hash_of, read_weights

WEIGHTS = KnownWeights(
    "Inception-v3 (TensorFlow's graph, as torch-fidelity has it)",
    "weights-inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
)

_NORMALISE = ((128.0,) * 3, (128.0,) * 3)
_LAST_STAGES = {"64": "MaxPool_1", "192": "MaxPool_2", "768": "Mixed_6e", "2048": "Mixed_7c"}


class Inception(NetworkExtractor):
    """Inception-v3 of TensorFlow's graph; 2048 numbers of the last pooling, or those of an earlier layer.

    The weights are those of torch-fidelity. Normalization is folded into the convolutions and channels lie last, which
    changes features by a millionth and no more. `logits` are those of the Inception Score: without the bias of the last
    layer.

    Args:
        layer: number of features: 64, 192, 768 or 2048.
        resize: `tf1_bilinear` as in the graph; `bicubic` as in clean-fid.
        dtype: what it computes in; bfloat16 is faster, and not for numbers that are quoted.
        weights: a file, where it is not where torch keeps its downloads.
    """

    def __init__(
        self,
        layer: Literal["64", "192", "768", "2048"] = "2048",
        resize: Resize = "tf1_bilinear",
        dtype: DType = "float32",
        weights: str | None = None,
    ) -> None:
        self._path = WEIGHTS.find(weights)
        self.layer = layer
        super().__init__(self._make_network, "inception", hash_of(self._path), 299, resize, _NORMALISE, dtype)
        self.protocol["layer"] = layer

    def logits(self, features: Tensor) -> Tensor:
        """Class scores (N, 1008) of features of the last layer, without a bias."""
        if self.layer != "2048":
            raise UserError(f"class scores are made of the features of the layer 2048, and not of {self.layer}")
        classes: Tensor = self.network.classes  # type: ignore[assignment]
        return features @ classes.to(features).T

    def _make_network(self) -> nn.Module:
        graph = inception_graph()
        fit(graph, read_weights(self._path, WEIGHTS.network), self._path, WEIGHTS.network)
        stages = nn.Sequential()
        for name, stage in graph.named_children():
            stages.add_module(name, stage)
            if name == _LAST_STAGES[self.layer]:
                break
        fold_all(stages)
        stages.register_buffer("classes", graph.get_parameter("fc.weight").detach())
        return stages


class InceptionPlaces(NetworkExtractor):
    """Inception-v3 of TensorFlow's graph up to an early layer, on images as they are: a vector for each place.

    For statistics within an image (SIFID). Features are means over the places.

    Args:
        layer: numbers of a place: 192 in front of the second pooling, as SIFID's paper has it; 64 in front of the
            first, as the authors' code has it.
        dtype: what it computes in.
        weights: a file, where it is not where torch keeps its downloads.
    """

    def __init__(
        self, layer: Literal["64", "192"] = "192", dtype: DType = "float32", weights: str | None = None
    ) -> None:
        self._path = WEIGHTS.find(weights)
        self.layer = layer
        super().__init__(self._make_network, "inception", hash_of(self._path), normalise=_NORMALISE, dtype=dtype)
        self.protocol["layer"] = f"{layer} before pooling"

    def _make_network(self) -> nn.Module:
        graph = inception_graph()
        fit(graph, read_weights(self._path, WEIGHTS.network), self._path, WEIGHTS.network)
        stages = nn.Sequential()
        for name, stage in graph.named_children():
            if name == _LAST_STAGES[self.layer]:
                break
            stages.add_module(name, stage)
        fold_all(stages)
        return stages


def inception_graph() -> nn.Module:
    """The graph with the names of torch-fidelity's weights; its children are its stages in their order, `fc` last."""
    graph = nn.Module()
    for name, stage in {
        "Conv2d_1a_3x3": parts.BasicConv2d(3, 32, kernel_size=3, stride=2),
        "Conv2d_2a_3x3": parts.BasicConv2d(32, 32, kernel_size=3),
        "Conv2d_2b_3x3": parts.BasicConv2d(32, 64, kernel_size=3, padding=1),
        "MaxPool_1": nn.MaxPool2d(3, stride=2),
        "Conv2d_3b_1x1": parts.BasicConv2d(64, 80, kernel_size=1),
        "Conv2d_4a_3x3": parts.BasicConv2d(80, 192, kernel_size=3),
        "MaxPool_2": nn.MaxPool2d(3, stride=2),
        "Mixed_5b": parts.InceptionA(192, pool_features=32),
        "Mixed_5c": parts.InceptionA(256, pool_features=64),
        "Mixed_5d": parts.InceptionA(288, pool_features=64),
        "Mixed_6a": parts.InceptionB(288),
        "Mixed_6b": parts.InceptionC(768, channels_7x7=128),
        "Mixed_6c": parts.InceptionC(768, channels_7x7=160),
        "Mixed_6d": parts.InceptionC(768, channels_7x7=160),
        "Mixed_6e": parts.InceptionC(768, channels_7x7=192),
        "Mixed_7a": parts.InceptionD(768),
        "Mixed_7b": parts.InceptionE_1(1280),
        "Mixed_7c": parts.InceptionE_2(2048),
        "fc": nn.Linear(2048, 1008),
    }.items():
        graph.add_module(name, stage)
    return graph


class _Folded(nn.Module):
    """A convolution with the normalization behind it folded into it, and a ReLU."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.conv = fold_normalization(block.conv, block.bn)

    def forward(self, images: Tensor) -> Tensor:
        return relu_(self.conv(images))


def fold_all(network: nn.Module) -> None:
    """Fold the normalization of all convolutions of a network of these blocks, in place."""
    for name, child in list(network.named_children()):
        if isinstance(child, parts.BasicConv2d):
            setattr(network, name, _Folded(child))
        else:
            fold_all(child)
