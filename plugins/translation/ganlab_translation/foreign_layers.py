"""Convolutions and norms in files of pytorch-CycleGAN-and-pix2pix."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor

from ganlab.errors import UserError
from ganlab.foreign import Tensors, put

Statistics = Literal["image", "running"]


class ForeignLayers:
    """The tensors of a file by their layers' names, and the norm that its network has.

    The program leaves the biases of convolutions out before batch norm, and keeps all of them with instance norm, which
    has no gains there. Batch norm by the statistics of one image is instance norm with gains.

    Args:
        tensors: of the file.
        statistics: those that batch norm takes.
        norm: name of a norm that every such network has.
        convolution: the tensor of a convolution that has a bias with instance norm alone.

    Raises `UserError` for networks without norms.
    """

    def __init__(self, tensors: Tensors, statistics: Statistics, norm: str, convolution: str) -> None:
        self.tensors = tensors
        self.batch = f"{norm}.weight" in tensors
        self.running = self.batch and statistics == "running"
        if not self.batch and convolution.removesuffix("weight") + "bias" not in tensors:
            raise UserError(
                "the file's network has no norm ('--norm none'), or tensors are missing: networks with batch norm or "
                "instance norm are imported"
            )
        if not self.running:
            # Instance norm of torch before 0.4 kept such numbers, and that program drops them, too.
            tensors.leave(".running_mean", ".running_var")

    def node(self) -> dict[str, Any]:
        """The normalizer that computes the same."""
        return {"name": "batch"} if self.running else {"name": "instance", "affine": self.batch}

    def put_convolution(self, layer: Any, name: str, halves_swapped: bool = False) -> None:
        """Give a convolution its weight and bias; the halves of its inputs (of a transposed one) change places."""
        weight = self.tensors.take(f"{name}.weight")
        put(layer, "weight", _swapped(weight) if halves_swapped else weight)
        if layer.bias is not None:
            put(layer, "bias", self.tensors.take(f"{name}.bias"))

    def put_norm(self, norm: Any, name: str) -> None:
        """Give a norm its gain, bias and statistics, if it has any."""
        parts = ["weight", "bias"] if self.batch else []
        for part in [*parts, *(["running_mean", "running_var"] if self.running else [])]:
            put(norm, part, self.tensors.take(f"{name}.{part}"))


def _swapped(weight: Tensor) -> Tensor:
    return weight.roll(len(weight) // 2, 0)
