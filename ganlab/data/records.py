"""What a data set made of files knows of each file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol, runtime_checkable

from ganlab.contracts import Dataset


@dataclass(frozen=True)
class FileRecord:
    """One file as stored: `mode` as Pillow names it, `size` (width, height), or why it cannot be used.

    `enlargement` is the factor by which its sides grow until it is an example. `transparency` says what becomes of it,
    where the file has a place for it: a data set that says so also has `is_transparent(index)`, which tells whether
    any pixel of the file is less than opaque.
    """

    path: str
    mode: str | None = None
    size: tuple[int, int] | None = None
    problem: str | None = None
    enlargement: float = 1.0
    transparency: Literal["kept", "blended", "dropped"] | None = None


@runtime_checkable
class HasFiles(Protocol):
    """A data set that offers `inspect`."""

    def inspect(self) -> Iterable[FileRecord]:
        """The record of every example's file, in the order of the examples."""
        ...


def file_records(dataset: Dataset) -> list[FileRecord]:
    """The records of a data set's files; none if it does not offer them."""
    return list(dataset.inspect()) if isinstance(dataset, HasFiles) else []


def name_of(dataset: Dataset, index: int) -> str:
    """How a sentence names one example: by its file where the data set tells of files."""
    number = f"example {index} of the data set"
    records = islice(dataset.inspect(), index, index + 1) if isinstance(dataset, HasFiles) else ()
    return next((f"{number} ({record.path})" for record in records), number)


def losing_transparency(records: Sequence[FileRecord]) -> list[int]:
    """The examples whose files have a place for transparency that is dropped."""
    return [index for index, record in enumerate(records) if record.transparency == "dropped"]


def on_lost_transparency(names: Sequence[str], which: str) -> str:
    """A sentence about pictures whose transparency is dropped, with what helps; `which` says how many of how many."""
    return (
        f"{which} have transparent pixels (such as {names[0]}), for which the channels have no place: their "
        "transparency is dropped, and what it hid shows. 'data.background: white' (or black, or [red, green, blue]) "
        "lays them on a colour; 'data.channels: 4' keeps it"
    )
