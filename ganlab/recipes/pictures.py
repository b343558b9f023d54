"""What lies in a folder or zip of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from ganlab.build import build_dataset
from ganlab.contracts import Dataset
from ganlab.data.records import FileRecord, file_records, losing_transparency
from ganlab.errors import DataError, DataMissing
from ganlab.spec import node_from

FEWEST = 50
_GREY = {"1", "L", "LA", "La"}
_ONE_SHAPE = 0.95  # of all pictures have the most common proportions, or it is not theirs
_ALIKE = 0.02
_LOOKED_AT = 64  # of the files with a place for transparency


@dataclass(frozen=True)
class Pictures:
    """The pictures of one data set as they are stored.

    Args:
        path: the folder or zip.
        data: Name of the data set that reads it.
        count: how many there are.
        sizes: how many there are of each (width, height).
        channels: 1 if all are grey, else 3.
        depth: bits of a channel, 8 or 16.
        transparent: how many files have a place for transparency, if any of them uses it.
        classes: how many there are in each class; empty if they have none.
        unlabelled: why folders are not taken for classes; empty where there are none or they are.
    """

    path: Path
    data: str
    count: int
    sizes: Mapping[tuple[int, int], int]
    channels: int = 3
    depth: int = 8
    transparent: int = 0
    classes: Mapping[str, int] = field(default_factory=dict)
    unlabelled: str = ""

    @property
    def typical_side(self) -> float:
        """The median of the pictures' shorter sides, in pixels."""
        return median(min(size) for size, count in self.sizes.items() for _ in range(count))

    @property
    def proportions(self) -> float | None:
        """Width over height of nearly all pictures; None if they differ."""
        shapes = Counter[float]()
        for (width, height), count in self.sizes.items():
            shapes[width / height] += count
        common = shapes.most_common(1)[0][0]
        alike = sum(count for shape, count in shapes.items() if abs(shape / common - 1) <= _ALIKE)
        return common if alike >= _ONE_SHAPE * self.count else None

    def __str__(self) -> str:
        (width, height), most = Counter(self.sizes).most_common(1)[0]
        size = f"{width}x{height} pixels" + ("" if len(self.sizes) == 1 else f" and {len(self.sizes) - 1} other sizes")
        if most < self.count / 2:
            sides = sorted(self.sizes)
            size = f"{len(sides)} sizes from {'x'.join(map(str, sides[0]))} to {'x'.join(map(str, sides[-1]))} pixels"
        parts = [f"{self.count:,} pictures", size, "grey" if self.channels == 1 else "colour"]
        parts += [f"{self.transparent:,} with transparency"] if self.transparent else []
        return ", ".join([*parts, f"{len(self.classes)} classes" if self.classes else "no classes"])


def look_at(path: str | Path) -> Pictures:
    """Read the headers of all pictures in a folder or zip.

    Raises `DataError` where there is nothing, no picture, or fewer pictures than a training has a use for.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise DataMissing(f"there is no folder or zip '{path}'; a relative path starts at the current folder")
    data = "image_folder" if path.is_dir() else "image_zip"
    dataset, unlabelled = _open(data, path)
    records = [record for record in file_records(dataset) if record.size]
    if len(records) < FEWEST:
        raise DataError(
            f"'{path}' holds {len(records)} pictures that can be read; a training needs at least {FEWEST}, and some "
            "thousands do much better"
        )
    return Pictures(
        path=path,
        data=data,
        count=len(dataset),
        sizes=Counter(record.size for record in records if record.size),
        channels=1 if all(_is_grey(record) for record in records) else 3,
        depth=16 if any(str(record.mode).startswith("I;16") for record in records) else 8,
        transparent=_transparent(dataset),
        classes=_classes(dataset),
        unlabelled=unlabelled,
    )


def _open(data: str, path: Path) -> tuple[Dataset, str]:
    """The data set with its classes, or without them and the reason why."""
    said = ""
    for labels in ({}, {"labels": False}):
        for channels in (3, 1):  # pictures of 16 bits are grey
            options: dict[str, Any] = {"name": data, "path": str(path), "resolution": 32, "channels": channels}
            try:
                return build_dataset(node_from("datasets", options | labels)), said if labels else ""
            except DataError as error:
                last = error
        said = said or str(last)
    raise last


def _is_grey(record: FileRecord) -> bool:
    return str(record.mode) in _GREY or str(record.mode).startswith("I;16")


def _transparent(dataset: Dataset) -> int:
    """How many files have a place for transparency; 0 if none of those that are looked at uses it."""
    places = losing_transparency(file_records(dataset))
    some = [places[index * len(places) // _LOOKED_AT] for index in range(_LOOKED_AT)] if places else []
    uses_it = getattr(dataset, "is_transparent", None)
    return len(places) if uses_it and any(uses_it(place) for place in dict.fromkeys(some)) else 0


def _classes(dataset: Dataset) -> dict[str, int]:
    """Pictures by class."""
    facts = dataset.facts
    return dict(zip(facts.class_names, facts.class_counts, strict=False))
