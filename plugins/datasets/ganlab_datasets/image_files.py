"""Data sets of image files: headers are read at the start, pixels when an example is wanted."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import get_worker_info

from ganlab.contracts import DataFacts
from ganlab.data import FileRecord
from ganlab.errors import DataError
from ganlab.facts import MISSING
from ganlab_datasets.decoding import Box, Header, Preparation, read_header, read_pixels
from ganlab_datasets.sources import Source

Resolution = int | tuple[int, int] | None

_ALL_UP_TO = 50_000
_THREADS = 8
_NAMED = 10


class ImageFiles:
    """Images from a source of files, all brought to one size and number of channels.

    `resolution` is the side of a square, (height, width), or None if all files have one size; `channels` is None
    if all files have the same; `box` is the part (left, top, right, bottom) of every image that counts, in pixels. Of
    sets beyond 50,000 files the headers of as many evenly spaced ones are read.
    `labels` has an entry for each of the source's names.
    """

    def __init__(
        self,
        source: Source,
        resolution: Resolution,
        channels: int | None,
        crop: bool,
        labels: Sequence[int] | None = None,
        class_names: Sequence[str] = (),
        box: Box | None = None,
    ) -> None:
        self.source = source
        self.labels = labels
        self._threads: tuple[int, ThreadPoolExecutor] | None = None
        self._headers, self._problems = _survey(source)
        if not self._headers:
            reasons = "\n  ".join(list(self._problems.values())[:_NAMED])
            raise DataError(f"none of the {len(source.names)} image files can be read:\n  {reasons}")
        bits = _the_bits(self._headers, channels)
        shape = _the_shape(_boxed(self._headers, box), resolution)
        channels = _the_channels(self._headers, channels)
        self.preparation = Preparation(channels, bits, shape, resized=resolution is not None, crop=crop, box=box)
        self.facts = DataFacts(
            shape=(channels, *shape),
            size=len(source.names),
            fingerprint=f"{source.fingerprint()}-{_short_hash(self.preparation, labels)}",
            value_range=(0.0, 2.0**bits - 1),
            class_names=tuple(class_names),
        )

    def __len__(self) -> int:
        return len(self.source.names)

    def __getitem__(self, index: int) -> dict[str, Any]:
        name = self.source.names[index]
        try:
            with self.source.open(name) as file:
                images = read_pixels(file, self.preparation)
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

    def inspect(self) -> Iterator[FileRecord]:
        """What the header of every file says; nothing of those whose headers were not read."""
        for name in self.source.names:
            header = self._headers.get(name)
            record = FileRecord(name, problem=self._problems.get(name))
            yield FileRecord(name, header.mode, header.size) if header else record


def _decoders_here() -> int:
    return 1 if get_worker_info() is not None else min(os.cpu_count() or 1, _THREADS)


def _shared_out(indices: Sequence[int], count: int) -> list[Sequence[int]]:
    """Consecutive parts of nearly equal size; a future for each example would cost as much as a small picture."""
    size = max(1, -(-len(indices) // count))
    return [indices[start : start + size] for start in range(0, len(indices), size)]


def implied_facts(resolution: Resolution, channels: int | None, class_names: Sequence[str] | None) -> DataFacts | None:
    """The facts of images that are not there, by the options that say what they are made into; None if unclear."""
    if resolution is None or channels is None or class_names is None:
        return None
    height, width = (resolution, resolution) if isinstance(resolution, int) else resolution
    return DataFacts((channels, height, width), 1, MISSING, class_names=tuple(class_names))


def _survey(source: Source) -> tuple[dict[str, Header], dict[str, str]]:
    """Headers by name, and the problems with files that have no readable one."""
    count, names = len(source.names), source.names
    if count > _ALL_UP_TO:
        names = [names[place * count // _ALL_UP_TO] for place in range(_ALL_UP_TO)]

    def read(name: str) -> Header | str:
        try:
            with source.open(name) as file:
                return read_header(file)
        except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
            return _problem(source, name, error)

    with ThreadPoolExecutor(_THREADS) as threads:
        found = dict(zip(names, threads.map(read, names), strict=True))
    headers = {name: header for name, header in found.items() if isinstance(header, Header)}
    return headers, {name: problem for name, problem in found.items() if isinstance(problem, str)}


def _problem(source: Source, name: str, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        reason = "it is empty, damaged or not an image"
    if isinstance(error, Image.DecompressionBombError):
        reason = f"it could be a decompression bomb ({reason.split(', could be')[0]}); make it smaller or remove it"
    return f"{source.describe(name)} cannot be read: {reason}"


def _the_bits(headers: Mapping[str, Header], channels: int | None) -> int:
    by_bits = _grouped((f"{header.bits} bits", name) for name, header in headers.items())
    if len(by_bits) > 1:
        raise DataError(f"the images mix 8 and 16 bits: {_listing(by_bits)}; convert them to one kind")
    bits = next(iter(headers.values())).bits
    if bits == 16 and channels not in (None, 1):
        raise DataError(f"'channels: {channels}' does not fit: the files are grey with 16 bits; leave it out")
    return bits


def _the_channels(headers: Mapping[str, Header], channels: int | None) -> int:
    if channels is not None:
        return channels
    if len({header.channels for header in headers.values()}) > 1:
        by_mode = _grouped((header.mode, name) for name, header in headers.items())
        raise DataError(
            f"the images have different modes: {_listing(by_mode)}; say what all are converted to: 'channels: 1' "
            "(grey), 3 (RGB) or 4 (RGB with transparency)"
        )
    return next(iter(headers.values())).channels


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
    parts = [f"{len(names)} of {key} (such as {names[0]})" for key, names in ranked[:_NAMED]]
    return ", ".join(parts) + (f" and {len(ranked) - _NAMED} more kinds" if len(ranked) > _NAMED else "")


def _short_hash(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=4).hexdigest()
