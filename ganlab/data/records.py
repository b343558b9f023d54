"""What a data set made of files knows of each file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ganlab.contracts import Dataset


@dataclass(frozen=True)
class FileRecord:
    """One file as stored: `mode` as Pillow names it, `size` (width, height), or why it cannot be used."""

    path: str
    mode: str | None = None
    size: tuple[int, int] | None = None
    problem: str | None = None


@runtime_checkable
class HasFiles(Protocol):
    """A data set that offers `inspect`."""

    def inspect(self) -> Iterable[FileRecord]:
        """The record of every example's file, in the order of the examples."""
        ...


def file_records(dataset: Dataset) -> list[FileRecord]:
    """The records of a data set's files; none if it does not offer them."""
    return list(dataset.inspect()) if isinstance(dataset, HasFiles) else []
