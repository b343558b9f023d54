"""ProGAN as pytorch_GAN_zoo writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.foreign import ForeignGenerator, Tensors, put
from ganlab_progressive.generator import ProgressiveGenerator
from ganlab_progressive.parts import SMALLEST

_FIRST = "formatLayer.module.weight"


class GANZooProGAN:
    """Checkpoints (`.pth`) of pytorch_GAN_zoo's progressive networks: the averaged generator, else `netG`.

    These are unconditional, or take classes as further numbers of the latents.
    """

    records: ClassVar[tuple[str, ...]] = ("models.",)

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a checkpoint. Raises `UserError` for a file of another kind."""
        state = (content.get("avgG") or content.get("netG")) if isinstance(content, Mapping) else None
        if not isinstance(state, Mapping):
            raise UserError("the file has neither 'avgG' nor 'netG': it is no checkpoint of pytorch_GAN_zoo")
        if all(str(name).startswith("module.") for name in state):
            state = {name.removeprefix("module."): value for name, value in state.items()}
        tensors = Tensors(state)
        if _FIRST not in tensors:
            raise UserError(f"the generator has no tensor '{_FIRST}': it is no progressive one of pytorch_GAN_zoo")
        levels = tensors.count("scaleLayers.{}.0.module.weight")
        size = SMALLEST << levels
        facts = DataFacts((tensors.shape("toRGBLayers.0.module.weight")[0], size, size), 0, "")
        generator = {
            "name": "progressive",
            "latent_size": tensors.shape(_FIRST)[1],
            "bias_per_unit": True,
            **_widths(tensors, levels),
        }
        node = {
            "name": "progressive",
            "growth": "none",
            "generator": generator,
            "discriminator": {"name": "progressive", "fmap_base": 1, "fmap_max": 1, "minibatch": "none"},
            "loss": "wasserstein",
        }
        return ForeignGenerator(node, facts, tensors, lambda made: _fill(made, tensors))


def _widths(tensors: Tensors, levels: int) -> dict[str, int]:
    """`fmap_base` and `fmap_max` for the channels of the file. Raises `UserError` if there are none."""
    channels = {SMALLEST: tensors.shape("groupScale0.0.module.weight")[0]}
    for level in range(levels):
        channels[2 * SMALLEST << level] = tensors.shape(f"scaleLayers.{level}.1.module.weight")[0]
    base, most = max(r // 2 * count for r, count in channels.items()), max(channels.values())
    for resolution, count in channels.items():
        if max(1, min(base // (resolution // 2), most)) != count:
            raise UserError(
                f"the layers of {resolution} pixels have {count} channels, and no 'fmap_base' and 'fmap_max' of "
                "progressive give the channels of all resolutions of the file"
            )
    return {"fmap_base": base, "fmap_max": most}


def _fill(generator: nn.Module, tensors: Tensors) -> None:
    assert isinstance(generator, ProgressiveGenerator)
    for index, resolution in enumerate(generator.resolutions):
        first, second = generator.blocks[str(resolution)]  # type: ignore[misc]
        if index == 0:
            weight, bias = _used(tensors, "formatLayer")
            put(first.operation, "weight", weight)
            put(first.operation, "map_bias", bias.view_as(first.operation.map_bias))
            _put_layer(second.operation, tensors, "groupScale0.0")
        else:
            _put_layer(first.operation, tensors, f"scaleLayers.{index - 1}.0")
            _put_layer(second.operation, tensors, f"scaleLayers.{index - 1}.1")
        _put_layer(generator.to_rgb[str(resolution)], tensors, f"toRGBLayers.{index}")


def _put_layer(layer: nn.Module, tensors: Tensors, name: str) -> None:
    weight, bias = _used(tensors, name)
    put(layer, "weight", weight)
    put(layer, "bias", bias)


def _used(tensors: Tensors, name: str) -> tuple[Tensor, Tensor]:
    """Weight and bias as they act: that program multiplies what a layer has made, its bias included, by He's factor."""
    weight, bias = tensors.take(f"{name}.module.weight"), tensors.take(f"{name}.module.bias")
    factor = math.sqrt(2 / weight[0].numel())
    return weight * factor, bias * factor
