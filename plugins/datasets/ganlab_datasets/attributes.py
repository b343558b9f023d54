"""Pictures with a table of what they show: many attributes each, as CelebA has."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.bounds import Natural, Side
from ganlab.contracts import DataFacts
from ganlab.data import FileRecord
from ganlab.errors import DataError, DataMissing, printable
from ganlab.facts import InputFacts
from ganlab.pictures import SUFFIXES
from ganlab.suggestions import did_you_mean
from ganlab_datasets.image_files import MAX_PIXELS, ImageFiles, MaxPixels, Shade, Wanted, implied_facts
from ganlab_datasets.sources import ChosenFiles, open_source

ATTRIBUTES = "attributes"
"""The name of the input, and of the names in `facts.extras`."""

_VALUES = {"1": 1, "0": 0, "-1": 0, "true": 1, "false": 0, "yes": 1, "no": 0}
_NAMED = 3

Rows = Mapping[str, Sequence[str]]


class Attributes:
    """Pictures with their input `attributes`, zeros and ones (K,), from a table.

    `path` is a folder of pictures or a zip. `table` is a CSV file, whose first line has the names and whose first
    column has the files, relative to `path`; or CelebA's `list_attr_celeba.txt`. Values are 1 and 0, 1 and -1, true and
    false, or yes and no. `attributes` says which are taken, in which order; without it all are. Pictures that are not
    in the table, or not in the folder, are an error, or left out with `unmatched: skip`.

    `resolution`, `channels`, `crop`, `box`, `background`, `max_pixels` and `follow_links` are those of `image_folder`;
    for images of one class each, take that data set.
    """

    def __init__(
        self,
        path: str,
        table: str,
        attributes: Sequence[str] | None = None,
        resolution: Side | tuple[Side, Side] | None = None,
        channels: Literal[1, 3] | None = None,
        crop: bool = True,
        box: tuple[Natural, Natural, Natural, Natural] | None = None,
        background: Literal["white", "black"] | tuple[Shade, Shade, Shade] | None = None,
        unmatched: Literal["error", "skip"] = "error",
        max_pixels: MaxPixels = MAX_PIXELS,
        follow_links: bool = False,
    ) -> None:
        wanted = Wanted(resolution, channels, crop, box, background, max_pixels=max_pixels)
        try:
            names, rows = _read_table(table)
            source = open_source(path, SUFFIXES, follow_links)
        except DataMissing as missing:
            raise DataMissing(str(missing), _implied(wanted, attributes)) from None
        chosen = _chosen(table, names, attributes)
        both = [name for name in source.names if name in rows]
        _check_matches(path, table, source.names, rows, both, unmatched)
        places = [names.index(name) for name in chosen]
        self.values = torch.tensor([[_number(table, n, rows[n][p], names[p]) for p in places] for n in both])
        self.images = ImageFiles(ChosenFiles(source, both), wanted)
        self.facts = _with_attributes(self.images.facts, chosen, self.values)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {**self.images[index], ATTRIBUTES: self.values[index]}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once."""
        return {**self.images.take(indices), ATTRIBUTES: self.values[list(indices)]}

    def inspect(self) -> Iterator[FileRecord]:
        """The file of each image."""
        return self.images.inspect()

    def is_transparent(self, index: int) -> bool:
        """Whether any pixel of the image is less than opaque."""
        return self.images.is_transparent(index)


def _with_attributes(facts: DataFacts, names: Sequence[str], values: Tensor | None) -> DataFacts:
    known = facts.fingerprint
    if values is not None:
        known += "-" + hashlib.blake2b(repr((names, values.tolist())).encode(), digest_size=8).hexdigest()
    inputs = {ATTRIBUTES: InputFacts((len(names),))}
    return replace(facts, fingerprint=known, inputs=inputs, extras={ATTRIBUTES: tuple(names)})


def _implied(wanted: Wanted, attributes: Sequence[str] | None) -> DataFacts | None:
    facts = implied_facts(wanted.resolution, wanted.channels, [])
    return None if facts is None or attributes is None else _with_attributes(facts, attributes, None)


def _read_table(table: str) -> tuple[list[str], Rows]:
    """Names of the attributes, and what stands in the line of each file."""
    path = Path(table).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise DataMissing(f"the table '{table}' does not exist; a relative path starts at the current folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the table '{table}' cannot be read as text: {error}") from error
    celeba = bool(lines) and lines[0].strip().isdecimal()
    cells = [line.split() for line in lines[1:]] if celeba else list(csv.reader(lines))
    cells = [[cell.strip() for cell in row] for row in cells if row]
    if len(cells) < 2:
        raise DataError(f"the table '{table}' has no line of names and a line for each picture below")
    names = cells[0] if celeba else cells[0][1:]
    for number, row in enumerate(cells[1:], start=2 + celeba):
        if len(row) != len(names) + 1:
            raise DataError(
                f"line {number} of '{table}' has {len(row) - 1} values, and there are {len(names)} names of attributes"
            )
    return names, {row[0]: row[1:] for row in cells[1:]}


def _chosen(table: str, names: Sequence[str], attributes: Sequence[str] | None) -> list[str]:
    for name in attributes or ():
        if name not in names:
            raise DataError(
                f"'{table}' has no attribute '{name}'{did_you_mean(name, names)}; it has: {', '.join(names)}"
            )
    return list(names if attributes is None else attributes)


def _check_matches(
    path: str, table: str, files: Sequence[str], rows: Rows, both: Sequence[str], unmatched: str
) -> None:
    if not both:
        raise DataError(
            f"'{table}' names none of the pictures in '{path}': it has {printable(next(iter(rows)))} and others, the "
            f"folder {printable(files[0])} and others; names are relative to the folder, with their endings"
        )
    known = set(both)
    parts = [
        f"{len(alone)} of {len(of)} pictures in '{where}' (such as {', '.join(map(printable, alone[:_NAMED]))})"
        for where, of in ((path, list(files)), (table, list(rows)))
        if (alone := [name for name in of if name not in known])
    ]
    if parts and unmatched == "error":
        raise DataError(
            f"{' and '.join(parts)} are not in the other: complete the table or the folder, or leave these out by "
            "'unmatched: skip'"
        )


def _number(table: str, file: str, value: str, name: str) -> int:
    number = _VALUES.get(value.lower())
    if number is None:
        raise DataError(
            f"'{table}' has '{value}' for '{name}' of {printable(file)}; attributes are 1 and 0, 1 and -1, true and "
            "false, or yes and no. Leave a column that is no attribute out by 'attributes'"
        )
    return number
