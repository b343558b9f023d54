"""StyleGAN2 as the program of rosinality writes it (stylegan2-pytorch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.foreign import ForeignGenerator, Tensors
from ganlab_style.foreign_weights import Modulated, channel_options, fill, node_of

_WITHOUT_MEAN = "the file has no 'latent_avg', so that psi truncates towards 0"


class RosinalityStyleGAN2:
    """Checkpoints (`.pt`) of stylegan2-pytorch: the averaged generator, `g_ema`, and `latent_avg`."""

    records: ClassVar[tuple[str, ...]] = ()

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a checkpoint. Raises `UserError` for a file of another kind."""
        state = content.get("g_ema") if isinstance(content, Mapping) else None
        if not isinstance(state, Mapping) or "input.input" not in state:
            raise UserError("the file has no 'g_ema' with a tensor 'input.input': it is none of stylegan2-pytorch")
        tensors = Tensors({**state, "latent_avg": content.get("latent_avg")})
        tensors.leave(".kernel")
        weights = _Weights(tensors)
        facts = DataFacts((tensors.shape("to_rgb1.bias")[1], weights.resolution, weights.resolution), 0, "")
        channels = {4: tensors.shape("conv1.conv.weight")[1]}
        for index in range(weights.levels):
            channels[8 << index] = tensors.shape(f"convs.{2 * index}.conv.weight")[1]
        for index in range(2 * weights.levels + 1):
            tensors.leave(f"noises.noise_{index}")
        size, latent_size = tensors.shape("style.1.weight")
        options = {
            "latent_size": latent_size,
            "style_size": size,
            "mapping_layers": weights.depth,
            **channel_options(channels),
        }
        remarks = [] if "latent_avg" in tensors else [_WITHOUT_MEAN]
        return ForeignGenerator(node_of(options), facts, tensors, lambda made: fill(made, weights), remarks)


class _Weights:
    """The tensors by what they are for."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.levels = tensors.count("to_rgbs.{}.bias")
        self.resolution = 4 << self.levels
        self.depth = 0
        while f"style.{self.depth + 1}.weight" in tensors:
            self.depth += 1

    def constant(self) -> Tensor:
        """Maps (1, C, 4, 4)."""
        return self.tensors.take("input.input")

    def mean_style(self) -> Tensor:
        """The mean style (size,)."""
        if "latent_avg" in self.tensors:
            return self.tensors.take("latent_avg").reshape(-1)
        return torch.zeros(self.tensors.shape("style.1.weight")[0])

    def dense(self, index: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of a layer of the mapping."""
        return self._pair(f"style.{index + 1}")

    def embedding(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of what labels pass."""
        raise AssertionError("these generators have no labels")

    def convolution(self, resolution: int, place: int) -> Modulated:
        """The first (0) or second (1) convolution of a resolution."""
        name = "conv1" if resolution == 4 else f"convs.{2 * self._level(resolution) + place}"
        noise = self.tensors.take(f"{name}.noise.weight")
        return self._modulated(name, self.tensors.take(f"{name}.activate.bias"), noise)

    def image(self, resolution: int) -> Modulated:
        """What makes images of a resolution."""
        name = "to_rgb1" if resolution == 4 else f"to_rgbs.{self._level(resolution)}"
        return self._modulated(name, self.tensors.take(f"{name}.bias").reshape(-1), None)

    def shortcut(self, resolution: int) -> Tensor:
        """The weight of the other branch of a residual block."""
        raise AssertionError("these generators have no residual blocks")

    def _level(self, resolution: int) -> int:
        return (resolution // 8).bit_length() - 1

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self.tensors.take(f"{name}.weight"), self.tensors.take(f"{name}.bias")

    def _modulated(self, name: str, bias: Tensor, noise: Tensor | None) -> Modulated:
        weight = self.tensors.take(f"{name}.conv.weight")[0]
        return Modulated(weight, *self._pair(f"{name}.conv.modulation"), bias, noise)
