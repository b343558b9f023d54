"""Data sets of image files: headers are read at the start, pixels when an example is wanted."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.utils.data import get_worker_info

from ganlab.contracts import DataFacts
from ganlab.data import FileRecord
from ganlab.errors import DataError
from ganlab.facts import MISSING
from ganlab.pictures import (
    Colour,
    Half,
    Header,
    Preparation,
    enlargement,
    is_transparent,
    make_alike,
    opened,
    planes,
    problem_of,
    read_header,
    rgb,
)
from ganlab.printable import printable
from ganlab_datasets.sources import Source

Resolution = int | tuple[int, int] | None
Box = tuple[int, int, int, int]
Shade = Annotated[int, Ge(0), Le(255)]
MaxPixels = Annotated[int, Ge(1), Le(10**9)]
MAX_PIXELS = 64_000_000  # a medium format camera's; four channels of them take 256 MB

_ALL_UP_TO = 50_000
_THREADS = 8
_NAMED = 10


@dataclass(frozen=True)
class Wanted:
    """How the images are to be.

    `resolution` is the side of a square, (height, width), or None if all files have one size; `channels` is None
    if all files have the same, but for transparency where there is a `background`; `box` is the part (left, top, right,
    bottom) of every image that counts, in pixels; `value_range` becomes -1 to 1, all that the bits hold if it is None;
    files of more than `max_pixels` are not decoded; `half` is that of a file that holds two pictures side by side.
    """

    resolution: Resolution = None
    channels: int | None = None
    crop: bool = True
    box: Box | None = None
    background: Colour | None = None
    value_range: tuple[float, float] | None = None
    max_pixels: int = MAX_PIXELS
    half: Half | None = None


class ImageFiles:
    """Images from a source of files, all brought to one size and number of channels.

    Of sets beyond 50,000 files the headers of as many evenly spaced ones are read. `labels` has an entry for each of
    the source's names.
    """

    def __init__(
        self, source: Source, wanted: Wanted, labels: Sequence[int] | None = None, class_names: Sequence[str] = ()
    ) -> None:
        self.source = source
        self.labels = labels
        self._threads: tuple[int, ThreadPoolExecutor] | None = None
        self._max_pixels = wanted.max_pixels
        self._headers, self._problems = _survey(source, wanted.max_pixels)
        if not self._headers:
            reasons = "\n  ".join(list(self._problems.values())[:_NAMED])
            raise DataError(f"none of the {len(source.names)} image files can be read:\n  {reasons}")
        self.preparation = _the_preparation(self._headers, wanted)
        self.facts = DataFacts(
            shape=(self.preparation.channels, *self.preparation.shape),
            size=len(source.names),
            fingerprint=f"{source.fingerprint()}-{_short_hash(self.preparation, labels)}",
            value_range=self.preparation.value_range,
            class_names=tuple(class_names),
        )

    def __len__(self) -> int:
        return len(self.source.names)

    def __getitem__(self, index: int) -> dict[str, Any]:
        name = self.source.names[index]
        try:
            with self.source.open(name) as file, opened(file) as picture:
                check_pixels(picture.size, self._max_pixels)
                images = torch.from_numpy(planes(make_alike(picture, self.preparation)))
        except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
            raise DataError(_problem(self.source, name, error)) from error
        return {"images": images} if self.labels is None else {"images": images, "label": self.labels[index]}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once, decoded by several threads; by one in a loading process, which has others."""
        parts = _shared_out(indices, _decoders_here())
        read = self._decoders().map if len(parts) > 1 else map
        images = torch.stack([image for part in read(self._images, parts) for image in part])
        if self.labels is None:
            return {"images": images}
        return {"images": images, "label": torch.tensor([self.labels[index] for index in indices])}

    def every_label(self) -> Sequence[int] | None:
        """The labels of all examples."""
        return self.labels

    def _images(self, indices: Sequence[int]) -> list[Tensor]:
        return [self[index]["images"] for index in indices]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_threads": None}

    def _decoders(self) -> ThreadPoolExecutor:
        # A forked process has the parent's pool but not its threads.
        if self._threads is None or self._threads[0] != os.getpid():
            self._threads = (os.getpid(), ThreadPoolExecutor(_decoders_here()))
        return self._threads[1]

    def size_of(self, name: str) -> tuple[int, int] | None:
        """Width and height of a picture as stored; None where its header was not read."""
        return self._headers[name].size if name in self._headers else None

    def inspect(self) -> Iterator[FileRecord]:
        """What the header of every file says; nothing of those whose headers were not read."""
        for name in self.source.names:
            header = self._headers.get(name)
            if header is None:
                yield FileRecord(printable(name), problem=self._problems.get(name))
            else:
                grown = enlargement(header.size, self.preparation)
                yield FileRecord(
                    printable(name), header.mode, header.size, enlargement=grown, transparency=self._fate(header)
                )

    def _fate(self, header: Header) -> Literal["kept", "blended", "dropped"] | None:
        """What becomes of a file's transparency."""
        if not header.transparency:
            return None
        if self.preparation.keeps_transparency:
            return "kept"
        return "dropped" if self.preparation.background is None else "blended"

    def is_transparent(self, index: int) -> bool:
        """Whether any pixel of the file is less than opaque; false for one that cannot be read."""
        try:
            with self.source.open(self.source.names[index]) as file, opened(file) as picture:
                check_pixels(picture.size, self._max_pixels)
                return is_transparent(picture)
        except Exception:  # Pillow's decoders raise errors of many kinds; reading the example tells of them
            return False


def _decoders_here() -> int:
    return 1 if get_worker_info() is not None else min(os.cpu_count() or 1, _THREADS)


def _shared_out(indices: Sequence[int], count: int) -> list[Sequence[int]]:
    """Consecutive parts of nearly equal size; a future for each example would cost as much as a small picture."""
    size = max(1, -(-len(indices) // count))
    return [indices[start : start + size] for start in range(0, len(indices), size)]


def implied_facts(
    resolution: Resolution,
    channels: int | None,
    class_names: Sequence[str] | None,
    value_range: tuple[float, float] | None = None,
) -> DataFacts | None:
    """The facts of images that are not there, by the options that say what they are made into; None if unclear."""
    if resolution is None or channels is None or class_names is None:
        return None
    height, width = (resolution, resolution) if isinstance(resolution, int) else resolution
    shape, stored = (channels, height, width), value_range or (0.0, 255.0)
    return DataFacts(shape, 1, MISSING, value_range=stored, class_names=tuple(class_names))


def check_pixels(size: tuple[int, int], most: int) -> None:
    """Raise `ValueError` for a picture of too many pixels, before it takes memory and minutes."""
    if size[0] * size[1] > most:
        raise ValueError(
            f"it has {size[0]:,} x {size[1]:,} pixels, more than the {most:,} that 'max_pixels' allows; make it "
            "smaller or raise 'max_pixels'"
        )


def _survey(source: Source, max_pixels: int) -> tuple[dict[str, Header], dict[str, str]]:
    """Headers by name, and the problems with files that have no readable one."""
    count, names = len(source.names), source.names
    if count > _ALL_UP_TO:
        names = [names[place * count // _ALL_UP_TO] for place in range(_ALL_UP_TO)]

    def read(name: str) -> Header | str:
        try:
            with source.open(name) as file:
                header = read_header(file)
            check_pixels(header.size, max_pixels)
            return header
        except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
            return _problem(source, name, error)

    with ThreadPoolExecutor(_THREADS) as threads:
        found = dict(zip(names, threads.map(read, names), strict=True))
    headers = {name: header for name, header in found.items() if isinstance(header, Header)}
    return headers, {name: problem for name, problem in found.items() if isinstance(problem, str)}


def _problem(source: Source, name: str, error: Exception) -> str:
    return f"{source.describe(name)} cannot be read: {problem_of(error)}"


def _the_preparation(headers: Mapping[str, Header], wanted: Wanted) -> Preparation:
    bits = _the_bits(headers, wanted.channels)
    low, high = wanted.value_range or (0.0, 2.0**bits - 1)
    if not low < high:
        raise DataError(f"'value_range' is [low, high] with low below high, not [{low:g}, {high:g}]")
    _check_background(wanted)
    return Preparation(
        channels=_the_channels(headers, wanted),
        bits=bits,
        shape=_the_shape(_boxed(_halved(headers, wanted.half), wanted.box), wanted.resolution),
        resized=wanted.resolution is not None,
        fit="crop" if wanted.crop else "squeeze",
        box=wanted.box,
        background=wanted.background,
        value_range=(low, high),
        half=wanted.half,
    )


def _check_background(wanted: Wanted) -> None:
    if wanted.background is None:
        return
    if wanted.channels in (2, 4):
        raise DataError(
            f"'background' has no use with 'channels: {wanted.channels}', which keep the transparency; leave one out"
        )
    try:
        rgb(wanted.background)
    except ValueError as error:
        raise DataError(f"'background': {error}") from error


def _the_bits(headers: Mapping[str, Header], channels: int | None) -> int:
    by_bits = _grouped((f"{header.bits} bits", name) for name, header in headers.items())
    if len(by_bits) > 1:
        raise DataError(f"the images mix 8 and 16 bits: {_listing(by_bits)}; convert them to one kind")
    bits = next(iter(headers.values())).bits
    if bits == 16 and channels not in (None, 1):
        raise DataError(f"'channels: {channels}' does not fit: the files are grey with 16 bits; leave it out")
    return bits


def _the_channels(headers: Mapping[str, Header], wanted: Wanted) -> int:
    if wanted.channels is not None:
        return wanted.channels
    blended = wanted.background is not None
    found = {header.opaque_channels if blended else header.channels for header in headers.values()}
    if len(found) > 1:
        by_mode = _grouped((header.mode, name) for name, header in headers.items())
        raise DataError(
            f"the images have different modes: {_listing(by_mode)}; say what all are converted to: 'channels: 1' "
            "(grey), 3 (RGB) or 4 (RGB with transparency)"
        )
    return found.pop()


def _the_shape(headers: Mapping[str, Header], resolution: Resolution) -> tuple[int, int]:
    if resolution is None:
        by_size = _grouped((f"{header.size[0]}x{header.size[1]}", name) for name, header in headers.items())
        if len(by_size) > 1:
            raise DataError(
                f"the images have different sizes (width x height): {_listing(by_size)}; say what all are brought "
                "to: 'resolution: 256' or 'resolution: [height, width]'"
            )
        width, height = next(iter(headers.values())).size
        return height, width
    height, width = (resolution, resolution) if isinstance(resolution, int) else resolution
    if min(height, width) < 1:
        raise DataError(f"'resolution' is a number of pixels above 0 or [height, width], not {resolution}")
    return height, width


def _halved(headers: Mapping[str, Header], half: Half | None) -> Mapping[str, Header]:
    """The headers as if the files held one of their two pictures only."""
    if half is None:
        return headers
    return {name: replace(header, size=(header.size[0] // 2, header.size[1])) for name, header in headers.items()}


def _boxed(headers: Mapping[str, Header], box: Box | None) -> Mapping[str, Header]:
    """The headers as if the files held the part in the box only."""
    if box is None:
        return headers
    left, top, right, bottom = box
    if not (0 <= left < right and 0 <= top < bottom):
        raise DataError(
            f"'box' is [left, top, right, bottom] in pixels, left below right and top below bottom, not {box}"
        )
    return {name: replace(header, size=(right - left, bottom - top)) for name, header in headers.items()}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return groups


def _listing(groups: Mapping[str, list[str]]) -> str:
    """The most frequent groups, each with its count and one file."""
    ranked = sorted(groups.items(), key=lambda group: -len(group[1]))
    parts = [f"{len(names)} of {key} (such as {printable(names[0])})" for key, names in ranked[:_NAMED]]
    return ", ".join(parts) + (f" and {len(ranked) - _NAMED} more kinds" if len(ranked) > _NAMED else "")


def _short_hash(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=4).hexdigest()
