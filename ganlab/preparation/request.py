"""What is asked of a preparation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ganlab.errors import DataError
from ganlab.pictures import FILTERS, Colour, Preparation
from ganlab.pictures.alikeness import rgb
from ganlab.preparation.landmarks import Alignment

LARGEST_SIDE = 16_384


@dataclass(frozen=True)
class Request:
    """Sources and what becomes of their pictures.

    `shape` is (height, width). Pictures whose smaller side is below `min_size`, and those whose result equals an
    earlier one if `skip_duplicates`, are left out. `include` and `exclude` are glob patterns on names within a source.
    `every` takes each so many-th frame of a video. `follow_links` takes what links in folders lead to elsewhere.
    `classes`: "folders" takes the first folder below what all pictures of a source share as the class, "auto" does so
    where all pictures lie in such folders, "none" gives no classes.
    `landmarks` is a file of points of faces by the names of pictures, which are cut by them as `align` says.
    Raises `DataError` for what cannot be done.
    """

    sources: Sequence[Path]
    out: Path
    shape: tuple[int, int]
    fit: Literal["crop", "pad"] = "crop"
    resampling: str = "lanczos"
    background: Colour | None = None
    channels: Literal[1, 3, 4] = 3
    bits: Literal[8, 16] = 8
    min_size: int = 1
    skip_duplicates: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    classes: Literal["auto", "folders", "none"] = "auto"
    every: int = 1
    landmarks: Path | None = None
    align: Alignment = "celeba-hq"
    follow_links: bool = False

    def __post_init__(self) -> None:
        if not self.sources:
            raise DataError("name at least one source: a folder, a zip, a tar or a video")
        if not 1 <= min(self.shape) <= max(self.shape) <= LARGEST_SIDE:
            raise DataError(f"--resolution is 1 to {LARGEST_SIDE} pixels a side, not {self.shape[0]}x{self.shape[1]}")
        if self.resampling not in FILTERS:
            raise DataError(f"--filter is one of {', '.join(FILTERS)}, not '{self.resampling}'")
        if self.channels == 4 and self.background is not None:
            raise DataError("--background has no use with --channels 4, which keeps the transparency; leave one out")
        if self.bits == 16 and self.channels != 1:
            raise DataError("--bits 16 is for grey pictures: add --channels 1")
        if min(self.min_size, self.every) < 1:
            raise DataError("--min-size and --every are numbers from 1")
        if self.landmarks is not None and self.bits == 16:
            raise DataError("--landmarks is for pictures of 8 bits: leave out --bits 16")
        if self.background is not None:
            _check_colour(self.background)

    @property
    def to_zip(self) -> bool:
        """Whether the result is a zip; a folder otherwise."""
        return self.out.suffix.lower() == ".zip"

    @property
    def preparation(self) -> Preparation:
        """What is done to each picture."""
        return Preparation(
            self.channels,
            self.bits,
            self.shape,
            fit=self.fit,
            background=self.background,
            resampling=self.resampling,
        )

    def to_record(self) -> dict[str, Any]:
        """What decides the result, as plain values: places do not count, but the sources' names do."""
        landmarks = None if self.landmarks is None else self.landmarks.name
        places = {"sources": [path.name for path in self.sources], "out": None, "landmarks": landmarks}
        return asdict(self) | places


def _check_colour(colour: Colour) -> None:
    try:
        rgb(colour)
    except ValueError as error:
        raise DataError(f"--background: {error}") from error
