"""Pictures made better by a network before they are prepared: without artefacts, or larger."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ganlab.data.scaling import to_bytes

Enhance = Callable[[Tensor], Tensor]
"""A picture (1, 3, H, W) in [-1, 1] to one that is as large, or larger by a whole factor; mostly an `nn.Module`."""


def enhanced(image: Image.Image, enhance: Enhance) -> Image.Image:
    """The picture, in RGB, as the network makes it. Raises `ValueError` for a result of another form."""
    pixels = torch.from_numpy(np.array(image.convert("RGB")))
    first = next(enhance.parameters(), None) if isinstance(enhance, nn.Module) else None
    device = torch.device("cpu") if first is None else first.device
    with torch.no_grad():
        made = enhance(pixels.permute(2, 0, 1)[None].to(device) / 127.5 - 1)
    height, width = image.height, image.width
    factor = made.shape[-1] // width
    if factor < 1 or made.shape != (1, 3, factor * height, factor * width):
        raise ValueError(
            f"what enhances a picture made (1, 3, {height}, {width}) into {tuple(made.shape)}, which is not as large, "
            "or larger by a whole factor"
        )
    return Image.fromarray(to_bytes(made)[0].permute(1, 2, 0).cpu().numpy())
