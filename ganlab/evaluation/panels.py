"""What belongs to a sample, side by side in one picture: images of any channels and sizes, and maps in colours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganlab.data.grid import opaque
from ganlab.data.scaling import to_bytes
from ganlab.errors import PluginError
from ganlab.evaluation.sampling import Samples, at_rest
from ganlab.randomness import layer_draws
from ganlab.training.module import GANModule

_GOLDEN = 0.618034  # of a turn: hues of neighbouring classes are far apart, however many there are


def panels_of(module: GANModule, samples: Samples) -> Tensor:
    """What the architecture shows of samples, as bytes (N, C, H, W), or (N, T, C, H, W) of sequences.

    Raises `PluginError` for panels that are no pictures of these samples.
    """
    with at_rest(module, samples.random.seed("panels")), layer_draws(samples.random.scoped("panels")):
        shown = module.panels(samples.images, samples.inputs, samples.targets(), samples.random)
    _check(module, shown, len(samples.images))
    return side_by_side(shown, module.facts.frames)


def side_by_side(panels: Sequence[Tensor], frames: int = 0) -> Tensor:
    """Panels as one picture a sample: bytes (N, C, H, W), or with `frames` (N, T, C, H, W), of 1 or 3 channels.

    A panel holds floats in [-1, 1], (N, C, H, W), or whole numbers, (N, H, W) or (N, C, H, W), which are shown as
    colours, one for each number (of several channels: for each combination). Those of sequences have a dimension T
    behind N, or are the same beside all frames. All become as high as the highest, by repeating pixels.
    """
    pictures = [opaque(_coloured(panel, frames) if _is_map(panel) else to_bytes(panel)).cpu() for panel in panels]
    if frames:
        pictures = [part if part.dim() == 5 else part[:, None].expand(-1, frames, -1, -1, -1) for part in pictures]
    height = max(part.shape[-2] for part in pictures)
    channels = max(part.shape[-3] for part in pictures)
    alike = [_as_high(part, height).expand(*part.shape[:-3], channels, -1, -1) for part in pictures]
    return torch.cat(alike, dim=-1)


def _is_map(panel: Tensor) -> bool:
    return not panel.is_floating_point()


def _coloured(numbers: Tensor, frames: int) -> Tensor:
    """Colours (..., 3, H, W) of whole numbers (..., C, H, W) or (..., H, W)."""
    without_channels = 4 if frames and numbers.dim() == 4 and numbers.shape[1] == frames else 3
    if numbers.dim() == without_channels:
        numbers = numbers.unsqueeze(-3)
    single = numbers[..., 0, :, :].long()
    for channel in numbers.long().unbind(-3)[1:]:
        single = single * 257 + channel
    hue = single.double() * _GOLDEN % 1
    thirds = torch.tensor([0.0, 1 / 3, 2 / 3], device=numbers.device).view(3, 1, 1)
    wave = (((hue.unsqueeze(-3) + thirds) % 1) * 6 - 3).abs() - 1  # red, green and blue around the circle of colours
    colours = (wave.clamp(0, 1) * 200 + 40).round()
    return torch.where(single.unsqueeze(-3) == 0, 32.0, colours.float()).to(torch.uint8)


def _as_high(pictures: Tensor, height: int) -> Tensor:
    if pictures.shape[-2] == height:
        return pictures
    width = round(pictures.shape[-1] * height / pictures.shape[-2])
    flat = pictures.flatten(0, -4)
    resized: Tensor = interpolate(flat, (height, width), mode="nearest-exact")
    as_before: Tensor = resized.unflatten(0, pictures.shape[:-3])  # type: ignore[no-untyped-call]
    return as_before


def _check(module: GANModule, panels: Sequence[Tensor], count: int) -> None:
    """Raise `PluginError` for panels that cannot be shown."""
    dimensions = 5 if module.facts.frames else 4
    for panel in panels:
        least = 3 if _is_map(panel) else 4
        if len(panel) != count or not least <= panel.dim() <= dimensions:
            raise PluginError(
                f"{type(module).__name__}.panels() returned a tensor of shape {tuple(panel.shape)} for {count} "
                "samples; a panel is (N, C, H, W), floats in [-1, 1] or whole numbers"
                + (", or (N, T, C, H, W)" if module.facts.frames else "")
            )
    if not panels:
        raise PluginError(f"{type(module).__name__}.panels() returned nothing to show")
