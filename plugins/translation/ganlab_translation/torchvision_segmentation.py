"""Segmentation networks of torchvision with weights that are on this machine."""

from __future__ import annotations

from typing import Any, Literal

import torch
from ganlab_metrics.weights import KnownWeights, fit, hash_of, read_weights
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlab import UserError
from ganlab.bounds import Count, Side
from ganlab.errors import DataMissing

Model = Literal[
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
    "fcn_resnet50",
    "fcn_resnet101",
    "lraspp_mobilenet_v3_large",
]

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class TorchvisionSegmentation:
    """A network of torchvision that tells the class of each pixel, for the metric `segmentation`.

    Its features are the mean logits of the classes. torchvision's own weights are for the 21 classes of Pascal VOC;
    for Cityscapes, ADE20K or COCO-Stuff give a file of weights that were trained on their classes, which stand in the
    order of the label map's.

    Args:
        weights: a file of the network's tensors, `.pth` or `.safetensors`.
        model: the network, as torchvision names it.
        classes: how many classes the weights tell apart.
        size: side to which the smaller side of images is brought; null leaves images as they are.
    """

    def __init__(
        self,
        weights: str | None = None,
        model: Model = "deeplabv3_resnet101",
        classes: Count = 21,
        size: Side | None = None,
    ) -> None:
        if weights is None:
            raise DataMissing(
                "torchvision_segmentation needs a file of weights that know the classes of your maps: train "
                f"torchvision's {model} on your data, or fetch such a file, and give its path as 'weights'; without "
                "'network', the metric trains a small network itself"
            )
        self._path = KnownWeights(model, "", "").find(weights)
        self.model: Model = model
        self.classes = classes
        self.size = size
        self._network: nn.Module | None = None
        self.protocol: dict[str, Any] = {"network": model, "weights": hash_of(self._path), "size": size}

    def __call__(self, images: Tensor) -> Tensor:
        """Mean logits (N, classes) of images (N, C, H, W), values from 0 to 255."""
        return self._logits(images).mean((2, 3))

    def segment(self, images: Tensor) -> Tensor:
        """The most likely class of each pixel (N, H, W)."""
        with torch.no_grad():
            return torch.cat([self._logits(part).argmax(1) for part in images.split(8)])

    def _logits(self, images: Tensor) -> Tensor:
        if images.dim() != 4 or images.shape[1] not in (1, 3):
            raise UserError(f"{self.model} looks at grey or RGB images, which these are not")
        shown = images.float().expand(-1, 3, -1, -1) / 255
        mean, deviation = (shown.new_tensor(part)[:, None, None] for part in (_MEAN, _DEVIATION))
        shown = (shown - mean) / deviation
        if self.size is not None:
            factor = self.size / min(images.shape[2:])
            shown = interpolate(shown, scale_factor=factor, mode="bilinear", recompute_scale_factor=True)
        logits: Tensor = self._made().to(images.device)(shown)["out"]
        return interpolate(logits, images.shape[2:], mode="bilinear")

    def _made(self) -> nn.Module:
        if self._network is None:
            from torchvision.models import segmentation

            network = getattr(segmentation, self.model)(weights=None, weights_backbone=None, num_classes=self.classes)
            weights = read_weights(self._path, self.model)
            kept = {name: value for name, value in weights.items() if not name.startswith("aux_classifier.")}
            fit(network, kept, self._path, self.model)
            self._network = network.eval().requires_grad_(False)
        return self._network
