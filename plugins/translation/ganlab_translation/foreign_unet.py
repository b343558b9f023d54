"""The U-Net in files of pytorch-CycleGAN-and-pix2pix."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

from ganlab.foreign import Tensors
from ganlab_translation.foreign_layers import ForeignLayers
from ganlab_translation.unet import UNetGenerator

_WITHOUT_DROPOUT = 5  # halvings outside of those whose blocks drop: the innermost and the four that change widths


class ForeignUNet:
    """Blocks inside of each other, each with a way down, the next block, and a way up.

    The way up takes what came down first and what comes from inside second, and here it is the other way round: the
    halves of these weights change places. Of the inner blocks of one width all but the innermost drop.

    Args:
        layers: of the file.
        depth: how often maps are halved.
        dropout: whether it drops.
    """

    first: ClassVar[str] = "model.model.0.weight"

    def __init__(self, layers: ForeignLayers, depth: int, dropout: bool) -> None:
        self.layers = layers
        self.depth = depth
        self.dropout = dropout

    @staticmethod
    def depth_of(tensors: Tensors) -> int:
        """How many blocks there are."""
        depth = 1
        while f"{_block(depth)}1.weight" in tensors:
            depth += 1
        return depth

    @staticmethod
    def innermost_norm(depth: int) -> str:
        """The norm behind the first layer of the way up."""
        return f"{_block(depth - 1)}4"

    def channels(self) -> tuple[int, int]:
        """Of the images that it takes and of those that it makes."""
        return self.layers.tensors.shape(self.first)[1], self.layers.tensors.shape("model.model.3.weight")[1]

    def usual_side(self) -> int:
        """The side of the smallest images that it takes: `unet_256` halves 8 times."""
        return int(2**self.depth)

    def options(self) -> dict[str, Any]:
        """Of the generator's node."""
        dropped = list(range(1, self.depth - _WITHOUT_DROPOUT + 1)) if self.dropout else []
        return {
            "name": "unet",
            "width": self.layers.tensors.shape(self.first)[0],
            "depth": self.depth,
            "dropped": dropped,
        }

    def fill(self, generator: nn.Module) -> None:
        """Give a generator the weights."""
        assert isinstance(generator, UNetGenerator)
        innermost = self.depth - 1
        for level, layer in enumerate(generator.down):
            self.layers.put_convolution(layer, f"{_block(level)}{1 if level else 0}")
            if 0 < level < innermost:
                self.layers.put_norm(generator.down_norms[level], f"{_block(level)}2")
        for place, layer in enumerate(generator.up):
            level = innermost - place
            number = 5 if 0 < level < innermost else 3
            self.layers.put_convolution(layer, f"{_block(level)}{number}", halves_swapped=place > 0)
            if level:
                self.layers.put_norm(generator.up_norms[place], f"{_block(level)}{number + 1}")


def _block(level: int) -> str:
    """The names of a block's layers begin so; the outermost block is 0."""
    return "model.model." + ("1.model." if level else "") + "3.model." * (level - 1)
