"""Exponential moving average of the generator, with a half-life in images."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ganlab.schedules import Schedule


class Averages(nn.Module):
    """Averaged copies of some modules. Parameters are averaged, buffers are copied.

    After a step that showed n images, the old average keeps the weight 0.5 ** (n / half-life). The half-life is at
    most `ramp_up` times the images seen so far (StyleGAN2-ADA, training configuration), so that the poor first
    weights are soon forgotten. Without a half-life, and until `start_kimg`, the copies are the live weights.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        half_life_kimg: float | Schedule | None,
        ramp_up: float | None,
        start_kimg: float = 0.0,
    ) -> None:
        super().__init__()
        self.half_life_kimg = half_life_kimg
        self.ramp_up = ramp_up
        self.start_kimg = start_kimg
        self.copies = nn.ModuleDict({name: copy.deepcopy(module) for name, module in modules.items()})
        self.copies.requires_grad_(False)
        self._pairs: _Pairs | None = None

    def half_life(self, images_seen: int, rounds: int = 0) -> float:
        """The half-life in images at a moment of training."""
        if self.half_life_kimg is None or images_seen <= 1000 * self.start_kimg:
            return 0.0
        value = self.half_life_kimg
        images = 1000 * (value(images_seen, rounds) if isinstance(value, Schedule) else value)
        return images if self.ramp_up is None else min(images, self.ramp_up * images_seen)

    @torch.no_grad()
    def update(self, modules: Mapping[str, nn.Module], images: int, images_seen: int, rounds: int = 0) -> None:
        """Take in the weights after a step of `images` images that ended at `images_seen`."""
        half_life = self.half_life(images_seen, rounds)
        keep = 0.5 ** (images / half_life) if half_life > 0 else 0.0
        pairs = self._pairs_with(modules)
        torch._foreach_lerp_(pairs.parameters, pairs.live_parameters, 1 - keep)
        if pairs.buffers:
            torch._foreach_copy_(_values(pairs.buffers), _values(pairs.live_buffers))

    def _pairs_with(self, modules: Mapping[str, nn.Module]) -> _Pairs:
        """What is averaged and what it follows, listed once: walking through modules takes longer than averaging."""
        if self._pairs is None:
            live = nn.ModuleList([modules[name] for name in self.copies])
            self._pairs = _Pairs(
                list(self.copies.parameters()), list(live.parameters()), _buffers(self.copies), _buffers(live)
            )
        return self._pairs

    def _apply(self, *arguments: Any, **options: Any) -> Averages:
        """Forget the lists when tensors may be replaced, as on the way to another device."""
        self._pairs = None
        result: Averages = super()._apply(*arguments, **options)  # type: ignore[no-untyped-call]
        return result


class _Pairs(NamedTuple):
    parameters: list[Tensor]
    live_parameters: list[Tensor]
    buffers: list[_Buffer]
    live_buffers: list[_Buffer]


_Buffer = tuple[nn.Module, str]
"""A buffer by its place: a module may assign another tensor to it."""


def _buffers(module: nn.Module) -> list[_Buffer]:
    return [(part, name) for part in module.modules() for name, value in part._buffers.items() if value is not None]


def _values(places: list[_Buffer]) -> list[Tensor]:
    return [cast(Tensor, part._buffers[name]) for part, name in places]
