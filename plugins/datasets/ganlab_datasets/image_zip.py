"""Images in a zip, with labels beside them: the format that the StyleGAN tools write."""

from __future__ import annotations

import json
from typing import Any, Literal

from ganlab.errors import DataError, DataMissing
from ganlab_datasets.decoding import SUFFIXES
from ganlab_datasets.image_files import ImageFiles, implied_facts
from ganlab_datasets.sources import ZipSource

_LABELS = "dataset.json"
_MOST_CLASSES = 1_000_000


class ImageZip(ImageFiles):
    """All images in the zip at `path`; `dataset.json` in it may hold `{"labels": [["file.png", 3], ...]}`.

    `labels: false` ignores the labels. `resolution`, `channels`, `crop` and `box` are those of `image_folder`.
    """

    def __init__(
        self,
        path: str,
        resolution: int | tuple[int, int] | None = None,
        channels: Literal[1, 2, 3, 4] | None = None,
        labels: bool = True,
        crop: bool = True,
        box: tuple[int, int, int, int] | None = None,
    ) -> None:
        try:
            source = ZipSource(path, SUFFIXES)
        except DataMissing as missing:
            raise DataMissing(str(missing), implied_facts(resolution, channels, None if labels else [])) from None
        if not source.names:
            raise DataError(f"no images in the zip '{path}'; files count as images by their ending (.png, .jpg, ...)")
        numbers = _read_labels(source) if labels else None
        class_names = [str(number) for number in range(max(numbers) + 1)] if numbers else []
        super().__init__(source, resolution, channels, crop, numbers, class_names, box)


def _read_labels(source: ZipSource) -> list[int] | None:
    """The class of each image, or None if the zip has no labels."""
    if _LABELS not in source:
        return None
    try:
        with source.open(_LABELS) as file:
            entries = json.load(file)["labels"]
        labels = None if entries is None else dict(entries)
    except Exception as error:  # damaged zips and damaged JSON raise errors of many kinds
        raise DataError(
            f"'{_LABELS}' in '{source.path}' cannot be read ({error}); it holds "
            '{"labels": [["file.png", 3], ...]} or {"labels": null}'
        ) from error
    return None if labels is None else [_label(source, labels, name) for name in source.names]


def _label(source: ZipSource, labels: dict[str, Any], name: str) -> int:
    label = labels.get(name)
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < _MOST_CLASSES:
        found = "has no label" if label is None else f"has the label {label!r}"
        raise DataError(
            f"{source.describe(name)} {found} in '{_LABELS}'; every image needs the number of its class, from 0. "
            "'labels: false' trains without classes"
        )
    return label
