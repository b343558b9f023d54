"""Pictures at lower resolutions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganlab.errors import DataError
from ganlab.facts import DataFacts


def reduce_images(images: Tensor, resolution: int) -> Tensor:
    """Images (..., C, H, W) whose larger side has a resolution that divides theirs: the mean of each pixel's area.

    Stored images stay in their type: means of whole numbers are rounded to the nearest.
    """
    height, width = images.shape[-2:]
    factor = max(height, width) // resolution
    divides = max(height, width) == factor * resolution and not height % factor and not width % factor
    assert divides, f"{height} x {width} pixels do not reduce to {resolution}"
    return _means(images, factor)


def reduce_inputs(inputs: dict[str, Tensor], facts: DataFacts, factor: int) -> dict[str, Tensor]:
    """What belongs to pictures, as much smaller as these: images by means, maps by the pixel in the middle of an area.

    So are flows, which are counted in the smaller pixels then. Numbers stay as they are, and so does what
    `facts.inputs` does not tell of.
    """
    return {name: _reduced(name, value, facts, factor) for name, value in inputs.items()}


def reduced_shape(name: str, facts: DataFacts, factor: int) -> tuple[int, ...]:
    """The shape of an input beside pictures that are `factor` times smaller."""
    of_input = facts.inputs[name]
    if of_input.kind == "numbers":
        return of_input.shape
    height, width = of_input.shape[-2:]
    if height % factor or width % factor:
        raise DataError(
            f"the images of the data set are reduced {factor} times, which the {height} x {width} pixels of the input "
            f"'{name}' cannot be: make it of a size that {factor} divides"
        )
    return (*of_input.shape[:-2], height // factor, width // factor)


def _reduced(name: str, value: Tensor, facts: DataFacts, factor: int) -> Tensor:
    if name not in facts.inputs or facts.inputs[name].kind == "numbers":
        return value
    reduced_shape(name, facts, factor)
    kind = facts.inputs[name].kind
    if kind == "images":
        return _means(value, factor)
    middle = value[..., factor // 2 :: factor, factor // 2 :: factor]
    if kind == "maps" or factor == 1:
        return middle
    return torch.cat([middle[..., :2, :, :] / factor, middle[..., 2:, :, :]], dim=-3)


def _means(images: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return images
    flat = images.flatten(0, -4) if images.dim() > 4 else images
    if images.is_floating_point():
        means = avg_pool2d(flat, factor)
    else:
        exact = torch.float32 if images.dtype == torch.uint8 else torch.float64
        means = avg_pool2d(flat.to(exact), factor).round().to(images.dtype)
    return means.view(*images.shape[:-2], *means.shape[-2:])
