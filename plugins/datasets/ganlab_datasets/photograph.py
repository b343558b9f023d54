"""One picture as a data set, for families that learn from a single one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge, Le
from PIL import Image
from torch import Tensor

from ganlab.contracts import DataFacts, InputFacts
from ganlab.errors import DataError, DataMissing
from ganlab.pictures import Preparation, make_alike, opened, planes, problem_of
from ganlab.pictures.files import header_of
from ganlab_datasets.image_files import MAX_PIXELS, check_pixels
from ganlab_datasets.in_memory import InMemory, content_fingerprint

_OF_SCIKIT_LEARN = ("china", "flower")
_HALF = 128


class Photograph(InMemory):
    """One picture, of any size and proportions.

    `path` is a picture's file, or `china` or `flower`, the photographs of 427 x 640 pixels that ship with scikit-learn.
    It is made smaller, never larger, so that its longer side has `side` pixels; null keeps its size. `channels` is 3,
    or 1 for grey; what is transparent becomes white. `mask` is the file of a second picture of the same proportions,
    white where the first one may be changed: it becomes the input `mask`, 0 or 1 for each pixel, for samples that are
    made from pictures.
    """

    def __init__(
        self,
        path: str = "china",
        side: Annotated[int, Ge(8), Le(8192)] | None = 250,
        channels: Literal[1, 3] = 3,
        mask: str | None = None,
    ) -> None:
        image = _read(path, channels, side)
        self.mask = None if mask is None else _mask(mask, path, image)
        inputs = {} if self.mask is None else {"mask": InputFacts(tuple(self.mask.shape), "maps", classes=2)}
        facts = DataFacts(
            shape=tuple(image.shape),
            size=1,
            fingerprint=content_fingerprint("photograph", image, self.mask),
            inputs=inputs,
        )
        super().__init__(image[None], None, facts)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        mask = {} if self.mask is None else {"mask": self.mask}
        return {**super().__getitem__(index), **mask}

    def take(self, indices: list[int]) -> dict[str, Tensor]:  # type: ignore[override]
        """The picture, as often as it is wanted."""
        mask = {} if self.mask is None else {"mask": self.mask.expand(len(indices), -1, -1, -1)}
        return {**super().take(indices), **mask}


def _read(path: str, channels: int, side: int | None) -> Tensor:
    if path in _OF_SCIKIT_LEARN:
        from sklearn.datasets import load_sample_image

        picture = Image.fromarray(np.asarray(load_sample_image(f"{path}.jpg")))
        return _made(picture, channels, side)
    return _opened(path, channels, side)


def _opened(path: str, channels: int, side: int | None) -> Tensor:
    file = Path(path).expanduser()
    if not file.is_file():
        known = " or ".join(f"'{name}'" for name in _OF_SCIKIT_LEARN)
        raise DataMissing(f"there is no picture '{path}': name a file, or {known} of scikit-learn")
    try:
        with file.open("rb") as stream, opened(stream) as picture:
            return _made(picture, channels, side)
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        raise DataError(f"'{path}' cannot be read: {problem_of(error)}") from error


def _made(picture: Image.Image, channels: int, side: int | None) -> Tensor:
    width, height = header_of(picture).size
    check_pixels((width, height), MAX_PIXELS)
    by = 1.0 if side is None else min(1.0, side / max(width, height))
    shape = (max(1, round(height * by)), max(1, round(width * by)))
    alike = make_alike(picture, Preparation(channels, 8, shape, fit="squeeze", background="white"))
    return torch.from_numpy(planes(alike))


def _mask(path: str, picture: str, image: Tensor) -> Tensor:
    """The mask (1, H, W) in the picture's size, 0 or 1."""
    height, width = image.shape[1:]
    read = _opened(path, 1, None)
    if abs(read.shape[2] / read.shape[1] - width / height) > 0.02 * width / height:
        raise DataError(
            f"the mask '{path}' has {read.shape[1]} x {read.shape[2]} pixels, other proportions than '{picture}' with "
            f"{height} x {width}: make it of the same picture"
        )
    small = Image.fromarray(read[0].numpy()).resize((width, height), Image.Resampling.BOX)
    return torch.from_numpy((np.asarray(small) >= _HALF).astype(np.uint8))[None]
