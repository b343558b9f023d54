"""Images enlarged a little and cut at random to their own size, with what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganlab.data.examples import IMAGES
from ganlab.errors import DataError
from ganlab.facts import DataFacts


def check_jitter(jitter: int | None, facts: DataFacts) -> None:
    """Raise `DataError` for data that cannot be enlarged to `jitter` pixels."""
    if jitter is None:
        return
    if not facts.is_images or facts.side is None:
        raise DataError("'data.jitter' enlarges images, but the examples of this data set are vectors; remove it")
    if jitter < facts.side:
        raise DataError(
            f"'data.jitter: {jitter}' enlarges images before they are cut to their own size, and their larger side has "
            f"{facts.side} pixels: take more than these, such as {round(facts.side * 286 / 256)}, or remove it"
        )


def jitter_examples(examples: dict[str, Tensor], places: Tensor, factor: float, facts: DataFacts) -> None:
    """Enlarge stacked examples by a factor and cut each to its size at its place, in place of what belongs together.

    `places` (N, 2) are from 0 (top, left) to 1 (bottom, right). Images are resampled with a bicubic filter, within the
    range of their own values, maps and flows by taking nearest pixels; what flows say grows by the factor. An input of
    another size is cut to the nearest pixel.
    """
    height, width = examples[IMAGES].shape[-2:]
    rooms = [round(side * factor) - side for side in (height, width)]
    offsets = [(places[:, axis] * (room + 1)).long().clamp(max=room).tolist() for axis, room in enumerate(rooms)]
    for name, kind in _together(facts).items():
        value = examples[name]
        scales = [side / whole for side, whole in zip(value.shape[-2:], (height, width), strict=True)]
        tops, lefts = ([round(offset * scale) for offset in of] for of, scale in zip(offsets, scales, strict=True))
        rows = zip(value, tops, lefts, strict=True)
        examples[name] = torch.stack([_cut(each, top, left, factor, kind != "images") for each, top, left in rows])
        if kind == "flows":
            examples[name][..., :2, :, :] *= factor


def _together(facts: DataFacts) -> Mapping[str, str]:
    """The fields that belong together, and their kinds."""
    inputs = {name: of.kind for name, of in facts.inputs.items() if of.kind != "numbers"}
    return {IMAGES: "images", **inputs}


def _cut(value: Tensor, top: int, left: int, factor: float, by_nearest: bool) -> Tensor:
    """One example (..., H, W) of its stored type, enlarged, from a place on."""
    height, width = value.shape[-2:]
    sides = [round(side * factor) for side in (height, width)]
    top, left = min(top, sides[0] - height), min(left, sides[1] - width)
    flat = value.reshape(1, -1, height, width)
    exact = flat.to(torch.float64 if value.dtype in (torch.float64, torch.int64, torch.int32) else torch.float32)
    if by_nearest:
        large = interpolate(exact, size=sides, mode="nearest")
    else:
        large = interpolate(exact, size=sides, mode="bicubic").clamp(exact.min(), exact.max())
    window = large[..., top : top + height, left : left + width]
    window = window if value.is_floating_point() else window.round()
    return window.reshape(value.shape).to(value.dtype)
