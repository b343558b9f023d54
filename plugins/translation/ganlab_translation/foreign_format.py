"""Generators of pix2pix and CycleGAN as the authors' PyTorch program writes them (pytorch-CycleGAN-and-pix2pix)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from ganlab.bounds import Count
from ganlab.errors import UserError
from ganlab.facts import DataFacts, InputFacts
from ganlab.foreign import ForeignGenerator, Tensors
from ganlab_translation.foreign_layers import ForeignLayers, Statistics
from ganlab_translation.foreign_resnet import ForeignResNet
from ganlab_translation.foreign_unet import ForeignUNet

_REMARKS = {
    "image": "batch norm takes the statistics of each image, as that program does in its tests without '--eval'",
    "running": "batch norm takes its running statistics, as that program does in its tests with '--eval'",
}
_DROPS = (
    "the program's file does not tell whether its U-Net drops: it does here, in other draws than there; "
    "'dropout: false' is for one that was trained with '--no_dropout', or is tested with '--eval'"
)


class CycleGANPix2Pix:
    """State dicts (`latest_net_G.pth`) of pytorch-CycleGAN-and-pix2pix: U-Nets and residual generators.

    A file holds one direction, so that it becomes the generator of `pix2pix`, which makes images from an image. Files
    do not tell everything; the options say what is missing.

    Args:
        resolution: side of the images that it was trained on; null for the smallest that a U-Net takes, which is that
            of its name, and for 128 pixels with fewer than 9 residual blocks, else 256. Others can be translated, too.
        statistics: the statistics of batch norm: those of each `image`, as the program's tests have them, or the
            `running` ones, as with its `--eval`. Instance norm has no others than those of the image.
        dropout: a U-Net's inner layers drop, in sampling as well, as in the program's tests without `--eval`. False
            leaves dropout out.
    """

    records: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        resolution: Count | None = None,
        statistics: Literal["image", "running"] = "image",
        dropout: bool = True,
    ) -> None:
        self.resolution = resolution
        self.statistics: Statistics = statistics
        self.dropout = dropout

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a state dict. Raises `UserError` for a file of another kind."""
        named = content if isinstance(content, Mapping) else {}
        tensors = Tensors({str(name).removeprefix("module."): value for name, value in named.items()})
        tensors.leave(".num_batches_tracked")
        network = self._network(tensors)
        before, after = network.channels()
        side = self.resolution or network.usual_side()
        facts = DataFacts((after, side, side), 0, "", inputs={"source": InputFacts((before, side, side), "images")})
        node = {
            "name": "pix2pix",
            "generator": {**network.options(), "bias": not network.layers.batch, "normalizer": network.layers.node()},
            "discriminator": {"name": "patch", "width": 1, "patch": 1},
            "loss": "non_saturating",
        }
        remarks = [_REMARKS[self.statistics]] if network.layers.batch else []
        if node["generator"].get("dropped"):
            remarks.append(_DROPS)
        return ForeignGenerator(node, facts, tensors, network.fill, remarks)

    def _network(self, tensors: Tensors) -> ForeignUNet | ForeignResNet:
        """What reads the network in a file, by the name of its first layer."""
        if ForeignUNet.first in tensors:
            depth = ForeignUNet.depth_of(tensors)
            norm = ForeignUNet.innermost_norm(depth)
            return ForeignUNet(ForeignLayers(tensors, self.statistics, norm, ForeignUNet.first), depth, self.dropout)
        if ForeignResNet.first in tensors:
            layers = ForeignLayers(tensors, self.statistics, ForeignResNet.first_norm, ForeignResNet.first)
            return ForeignResNet(layers, self.dropout)
        raise UserError(
            "the file is no generator of pytorch-CycleGAN-and-pix2pix: it has neither "
            f"'{ForeignUNet.first}', as U-Nets have, nor '{ForeignResNet.first}', as residual ones have. Take a file "
            "such as 'latest_net_G.pth'; "
            "discriminators ('net_D') are not imported"
        )
