"""The residual generator in files of pytorch-CycleGAN-and-pix2pix."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

from ganlab.errors import UserError
from ganlab.foreign import Tensors
from ganlab_translation.foreign_layers import ForeignLayers
from ganlab_translation.resnet import ResNetGenerator

_BEFORE = 10  # entries of the sequence before the blocks
_FIRST, _SECOND, _BEHIND_DROPOUT = 1, 5, 6  # the convolutions of a block
_LARGE, _LARGE_SIDE, _SMALL_SIDE = 9, 256, 128


class ForeignResNet:
    """A sequence of layers, with padding, norms and activations as entries of their own.

    Args:
        layers: of the file.
        dropout: whether blocks that drop shall do so.

    Raises `UserError` for blocks that `resnet` does not have.
    """

    first: ClassVar[str] = "model.1.weight"
    first_norm: ClassVar[str] = "model.2"

    def __init__(self, layers: ForeignLayers, dropout: bool) -> None:
        self.layers = layers
        self.blocks = layers.tensors.count(f"model.{{}}.conv_block.{_FIRST}.weight", _BEFORE)
        self.second = _second_convolution(layers.tensors, dropout)

    def channels(self) -> tuple[int, int]:
        """Of the images that it takes and of those that it makes."""
        last = self.layers.tensors.shape(f"model.{_BEFORE + self.blocks + 7}.weight")
        return self.layers.tensors.shape(self.first)[1], last[0]

    def usual_side(self) -> int:
        """The side of the images that such generators are trained on."""
        return _LARGE_SIDE if self.blocks >= _LARGE else _SMALL_SIDE

    def options(self) -> dict[str, Any]:
        """Of the generator's node."""
        return {"name": "resnet", "width": self.layers.tensors.shape(self.first)[0], "blocks": self.blocks}

    def fill(self, generator: nn.Module) -> None:
        """Give a generator the weights."""
        assert isinstance(generator, ResNetGenerator)
        for place, layer in enumerate(generator.down):
            self._put(layer, f"model.{1 + 3 * place}", f"model.{2 + 3 * place}")
        for place, block in enumerate(generator.blocks):
            for layer, number in ((block[0], _FIRST), (block[2], self.second)):  # type: ignore[index]
                name = f"model.{_BEFORE + place}.conv_block"
                self._put(layer, f"{name}.{number}", f"{name}.{number + 1}")
        above = _BEFORE + self.blocks
        for place, (layer, norm) in enumerate(zip(generator.up, generator.up_norms, strict=True)):
            self._put((layer, norm), f"model.{above + 3 * place}", f"model.{above + 3 * place + 1}")
        self.layers.put_convolution(generator.last, f"model.{above + 7}")

    def _put(self, pair: Any, convolution: str, norm: str) -> None:
        self.layers.put_convolution(pair[0], convolution)
        self.layers.put_norm(pair[1], norm)


def _second_convolution(tensors: Tensors, dropout: bool) -> int:
    """The place of a block's second convolution, which tells what the block is."""
    block = f"model.{_BEFORE}.conv_block"
    there = [place for place in (_FIRST, _SECOND, _BEHIND_DROPOUT) if _is_convolution(tensors, f"{block}.{place}")]
    if there == [_FIRST, _SECOND]:
        return _SECOND
    if there != [_FIRST, _BEHIND_DROPOUT]:
        raise UserError(
            f"the file's residual blocks are others than those of 'resnet', which reflect borders: '{block}' has no "
            f"convolutions {_FIRST} and {_SECOND}"
        )
    if dropout:
        raise UserError(
            "the file's residual blocks drop half of their numbers, also in that program's tests, and those of "
            "'resnet' never do: '{name: cyclegan_pix2pix, dropout: false}' imports what the program makes with '--eval'"
        )
    return _BEHIND_DROPOUT


def _is_convolution(tensors: Tensors, name: str) -> bool:
    return f"{name}.weight" in tensors and len(tensors.shape(f"{name}.weight")) == 4
