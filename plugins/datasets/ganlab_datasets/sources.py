"""Where image files come from: a folder or a zip. Both may be sent to worker processes."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ganlab.errors import DataError

_LARGEST_FILE = 1 << 30  # bytes in a zip; more is a mistake or an attack


class Source(Protocol):
    """Files by name; `names` are relative, with '/', in the same order on every machine."""

    names: list[str]

    def open(self, name: str) -> BinaryIO:
        """The file, for reading."""
        ...

    def file_size(self, name: str) -> int:
        """Its length in bytes."""
        ...


class FolderSource:
    """All files below a folder whose names end in one of `suffixes`; hidden files and folders are left out."""

    def __init__(self, path: str, suffixes: frozenset[str]) -> None:
        self.path = Path(path).expanduser()
        if not self.path.is_dir():
            kind = "is a file, not a folder" if self.path.exists() else "does not exist"
            raise DataError(f"the image folder '{path}' {kind}; 'path' is taken relative to the current folder")
        self._sizes = dict(sorted(_walk(self.path, "", suffixes)))
        self.names = list(self._sizes)

    def open(self, name: str) -> BinaryIO:
        """The file, for reading."""
        return (self.path / name).open("rb")

    def file_size(self, name: str) -> int:
        """Its length in bytes."""
        return self._sizes[name]


def _walk(folder: Path, prefix: str, suffixes: frozenset[str]) -> list[tuple[str, int]]:
    """Names and sizes of all files below; links to folders are followed."""
    found: list[tuple[str, int]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                found += _walk(folder / entry.name, f"{prefix}{entry.name}/", suffixes)
            elif Path(entry.name).suffix.lower() in suffixes:
                found.append((prefix + entry.name, entry.stat().st_size))
    return found


class ZipSource:
    """All files in a zip whose names end in one of `suffixes`. Every process opens the zip for itself."""

    def __init__(self, path: str, suffixes: frozenset[str]) -> None:
        self.path = Path(path).expanduser()
        self._archive: zipfile.ZipFile | None = None
        self._process = 0
        entries = {info.filename: info for info in self._open_archive().infolist() if not info.is_dir()}
        names = [name for name in entries if Path(name).suffix.lower() in suffixes and not name.startswith("__MACOSX/")]
        self._sizes = {name: entries[name].file_size for name in entries}
        self.names = sorted(names)

    def open(self, name: str) -> BinaryIO:
        """The file, for reading."""
        if self._sizes[name] > _LARGEST_FILE:
            raise ValueError(f"it unpacks to {self._sizes[name]:,} bytes, more than the {_LARGEST_FILE:,} allowed")
        return io.BytesIO(self._open_archive().read(name))

    def file_size(self, name: str) -> int:
        """Its length in bytes."""
        return self._sizes[name]

    def __contains__(self, name: str) -> bool:
        return name in self._sizes

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_archive": None}

    def _open_archive(self) -> zipfile.ZipFile:
        # A forked process shares the parent's place in the file: reading through it would mix both up.
        if self._archive is None or self._process != os.getpid():
            self._archive, self._process = self._fresh_archive(), os.getpid()
        return self._archive

    def _fresh_archive(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except FileNotFoundError:
            raise DataError(f"the zip '{self.path}' does not exist; 'path' is relative to the current folder") from None
        except (OSError, zipfile.BadZipFile) as error:
            raise DataError(f"'{self.path}' cannot be read as a zip: {error}") from error
