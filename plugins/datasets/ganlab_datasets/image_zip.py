"""Images in a zip, with labels beside them: the format that the StyleGAN tools write."""

from __future__ import annotations

import json
from typing import Any, Literal

from ganlab.bounds import Natural, Side
from ganlab.errors import DataError, DataMissing
from ganlab.pictures import SUFFIXES
from ganlab_datasets.image_files import MAX_PIXELS, ImageFiles, MaxPixels, Shade, Wanted, implied_facts
from ganlab_datasets.sources import ZipSource

_LABELS = "dataset.json"
_MOST_CLASSES = 1_000_000


class ImageZip(ImageFiles):
    """All images in the zip at `path`; `dataset.json` in it may hold `{"labels": [["file.png", 3], ...]}`.

    `"class_names": ["cat", ...]` in it may name the classes. `labels: false` ignores the labels. `resolution`,
    `channels`, `crop`, `box`, `background`, `value_range` and `max_pixels` are those of `image_folder`.
    """

    def __init__(
        self,
        path: str,
        resolution: Side | tuple[Side, Side] | None = None,
        channels: Literal[1, 2, 3, 4] | None = None,
        labels: bool = True,
        crop: bool = True,
        box: tuple[Natural, Natural, Natural, Natural] | None = None,
        background: Literal["white", "black"] | tuple[Shade, Shade, Shade] | None = None,
        value_range: tuple[float, float] | None = None,
        max_pixels: MaxPixels = MAX_PIXELS,
    ) -> None:
        try:
            source = ZipSource(path, SUFFIXES)
        except DataMissing as missing:
            raise DataMissing(
                str(missing), implied_facts(resolution, channels, None if labels else [], value_range)
            ) from None
        if not source.names:
            raise DataError(f"no images in the zip '{path}'; files count as images by their ending (.png, .jpg, ...)")
        numbers, class_names = _read_labels(source) if labels else (None, [])
        wanted = Wanted(resolution, channels, crop, box, background, value_range, max_pixels)
        super().__init__(source, wanted, numbers, class_names)


def _read_labels(source: ZipSource) -> tuple[list[int] | None, list[str]]:
    """The class of each image, None if the zip has no labels; and the names of the classes."""
    if _LABELS not in source:
        return None, []
    try:
        with source.open(_LABELS) as file:
            record = json.load(file)
        entries, names = record["labels"], record.get("class_names")
        labels = None if entries is None else dict(entries)
    except Exception as error:  # damaged zips and damaged JSON raise errors of many kinds
        raise DataError(
            f"'{_LABELS}' in '{source.path}' cannot be read ({error}); it holds "
            '{"labels": [["file.png", 3], ...]} or {"labels": null}'
        ) from error
    if labels is None:
        return None, []
    numbers = [_label(source, labels, name) for name in source.names]
    return numbers, _class_names(source, names, max(numbers) + 1)


def _class_names(source: ZipSource, names: Any, count: int) -> list[str]:
    if names is None:
        return [str(number) for number in range(count)]
    if not isinstance(names, list) or len(set(map(str, names))) != len(names) or len(names) < count:
        raise DataError(
            f"'class_names' in '{_LABELS}' in '{source.path}' is a list of different names, one for each of the "
            f"{count} classes, not {names!r}"
        )
    return [str(name) for name in names]


def _label(source: ZipSource, labels: dict[str, Any], name: str) -> int:
    label = labels.get(name)
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < _MOST_CLASSES:
        found = "has no label" if label is None else f"has the label {label!r}"
        raise DataError(
            f"{source.describe(name)} {found} in '{_LABELS}'; every image needs the number of its class, from 0. "
            "'labels: false' trains without classes"
        )
    return label
