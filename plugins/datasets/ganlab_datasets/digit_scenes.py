"""Scenes of handwritten digits with a map that says which digit each pixel belongs to."""

from __future__ import annotations

import colorsys
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab.bounds import Seed
from ganlab.contracts import DataFacts
from ganlab.facts import InputFacts
from ganlab.pictures.maps import instance_edges
from ganlab.randomness import derive_seed
from ganlab_datasets.digits import Digits
from ganlab_datasets.in_memory import InMemory, content_fingerprint

_DIGITS = 10
_PIXELS = 16  # of a digit's side
_BELONGS = 0.4  # of the ink, from which on a pixel belongs to its digit
_HUE = 0.03  # by which the hue of a digit may differ from that of its class


class DigitScenes(InMemory):
    """Coloured digits side by side, 16 pixels high and wide each, with maps: a small stand-in for street scenes.

    A digit's hue tells its class, but for a little; the colour of the ground is drawn for each scene and stands in no
    map, so that one map has many right images. The input `label_map` (16, 16 * digits) has 0 for the ground and 1 + d
    for the digit d. With `edges`, the input of that name has 1 where the pixel beside belongs to another digit or to
    the ground. `size` scenes follow from `seed`; hold some out with `holdout`.
    """

    def __init__(
        self,
        digits: Annotated[int, Ge(1), Le(20)] = 2,
        size: Annotated[int, Ge(1), Le(20_000)] = 2000,
        edges: bool = True,
        seed: Seed = 0,
    ) -> None:
        random = np.random.default_rng(derive_seed("digit scenes", seed))
        drawn = Digits(_PIXELS)
        assert drawn.labels is not None
        chosen = torch.from_numpy(random.integers(len(drawn), size=(size, digits)))
        ink = _beside_each_other(drawn.images[chosen][:, :, 0].double() / 255)
        classes = 1 + drawn.labels[chosen]
        belongs = ink >= _BELONGS
        label_map = torch.where(belongs, _over_places(classes), 0)
        instances = torch.where(belongs, _over_places(torch.arange(1, digits + 1).expand(size, -1)), 0)
        colours = _over_places(_colours(classes, random)).permute(0, 3, 1, 2)
        ground = torch.from_numpy(random.uniform(0, 0.55, (size, 3)))[:, :, None, None]
        images = ((ground + ink[:, None] * (colours - ground)) * 255 + 0.5).to(torch.uint8)
        inputs = {"label_map": label_map.to(torch.uint8)}
        if edges:
            inputs["edges"] = torch.from_numpy(instance_edges(instances.numpy()))
        facts = DataFacts(
            shape=tuple(images.shape[1:]),
            size=size,
            fingerprint=content_fingerprint("digit scenes", images, None, *inputs.values()),
            inputs=_facts_of_maps(label_map.shape[1:], edges),
            extras={"map_classes": ("ground", *map(str, range(_DIGITS)))},
        )
        super().__init__(images, None, facts, inputs)


def _facts_of_maps(shape: tuple[int, ...], edges: bool) -> dict[str, InputFacts]:
    facts = {"label_map": InputFacts(tuple(shape), "maps", classes=1 + _DIGITS)}
    return {**facts, "edges": InputFacts(tuple(shape), "maps", classes=2, files="instances")} if edges else facts


def _colours(classes: Tensor, random: np.random.Generator) -> Tensor:
    """Red, green and blue from 0 to 1, (N, digits, 3), of classes (N, digits)."""
    hues = (classes.numpy() - 1) / _DIGITS + random.uniform(-_HUE, _HUE, classes.shape)
    values = random.uniform(0.85, 1, classes.shape)
    shown = [colorsys.hsv_to_rgb(hue % 1, 0.8, value) for hue, value in zip(hues.flat, values.flat, strict=True)]
    return torch.tensor(shown, dtype=torch.float64).view(*classes.shape, 3)


def _beside_each_other(ink: Tensor) -> Tensor:
    """(N, digits, H, W) as (N, H, digits * W)."""
    return ink.permute(0, 2, 1, 3).flatten(2)


def _over_places(values: Tensor) -> Tensor:
    """Values (N, digits, ...) of the digits at each pixel of theirs, (N, H, digits * W, ...)."""
    return values.repeat_interleave(_PIXELS, 1)[:, None].expand(-1, _PIXELS, *[-1] * (values.dim() - 1))
