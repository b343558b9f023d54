"""What images are made from: the inputs of an example that are images or maps, as one stack of channels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganlab.errors import UserError
from ganlab.facts import InputFacts


def condition_channels(inputs: Mapping[str, InputFacts], shape: tuple[int, ...]) -> int:
    """Channels of the stack for data of this image shape (C, H, W): those of images, and the classes of maps.

    Raises `UserError` for inputs that are neither, that have another size than the images, and for maps of unknown
    classes.
    """
    return sum(_channels(name, facts, shape) for name, facts in inputs.items())


def stacked(values: Mapping[str, Tensor], facts: Mapping[str, InputFacts]) -> Tensor:
    """The inputs of `facts` beside each other (N, channels, H, W): images as they are, maps one-hot.

    A map of two classes, such as an edge or none, is one channel of zeros and ones.
    """
    return torch.cat([_planes(values[name], of_input) for name, of_input in facts.items()], dim=1)


def _channels(name: str, facts: InputFacts, shape: tuple[int, ...]) -> int:
    if facts.kind not in ("images", "maps"):
        raise UserError(f"the input '{name}' of the data is {facts.kind}: images are made from images and maps")
    if facts.kind == "maps" and not facts.classes:
        raise UserError(f"the input '{name}' is a map of unknown classes: its facts must tell 'classes'")
    if facts.shape[-2:] != shape[-2:]:
        sizes = [" x ".join(map(str, size[-2:])) for size in (facts.shape, shape)]
        raise UserError(
            f"the input '{name}' has {sizes[0]} pixels and the images {sizes[1]}: bring both to one size, such as by "
            "'data.resolution'"
        )
    channels = facts.channels
    assert channels is not None
    return channels * _planes_of(facts.classes) if facts.kind == "maps" else channels


def _planes(value: Tensor, facts: InputFacts) -> Tensor:
    if facts.kind != "maps":
        return value
    maps = value.unsqueeze(1) if len(facts.shape) == 2 else value
    if _planes_of(facts.classes) == 1:
        return maps.to(torch.get_default_dtype())
    hot = one_hot(maps, facts.classes).movedim(-1, 2).flatten(1, 2)
    return hot.to(torch.get_default_dtype())


def _planes_of(classes: int) -> int:
    """Channels that a map of so many classes becomes: two, such as an edge or none, are the numbers themselves."""
    return 1 if classes == 2 else classes
