"""The result while it grows: a zip or a folder beside its final place, which it takes when it is whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ganlab.preparation.journal import Entry

_WHEN = (1980, 1, 1, 0, 0, 0)  # of all files in zips, whose bytes must not depend on the clock
_READABLE = 0o644 << 16
_UNIX = 3
_LOCAL_HEADER = 30  # bytes before a file's name in a zip


class Output(Protocol):
    """Where pictures go. Names come in the order of the journal's entries; entries without bytes are left out."""

    def whole(self, names: Sequence[str], entries: Sequence[Entry]) -> int:
        """How many of the first entries' pictures are there to their end."""
        ...

    def begin(self, names: Sequence[str], entries: Sequence[Entry]) -> None:
        """Go on behind these."""
        ...

    def add(self, name: str, png: bytes) -> None:
        """Write the next picture; on the system's side when this returns."""
        ...

    def finish(self, labels: Sequence[tuple[str, int]], class_names: Sequence[str]) -> None:
        """Write what belongs to all pictures, and put the result in its place."""
        ...

    def close(self) -> None:
        """Leave what was written as it is, to go on with it later."""
        ...

    def discard(self) -> None:
        """Remove what was written."""
        ...


class ZipOutput:
    """A zip of PNG files as they are, with `dataset.json`, whose bytes depend on nothing but the pictures."""

    def __init__(self, out: Path, partial: Path) -> None:
        self.out = out
        self.partial = partial

    def whole(self, names: Sequence[str], entries: Sequence[Entry]) -> int:
        """How many of the first entries' pictures are there to their end."""
        size, end = self.partial.stat().st_size if self.partial.exists() else 0, 0
        for count, (name, entry) in enumerate(zip(names, entries, strict=False)):
            end += _room(name, entry)
            if end > size:
                return count
        return len(entries)

    def begin(self, names: Sequence[str], entries: Sequence[Entry]) -> None:
        """Cut what was not written to its end, and list again what was."""
        self.partial.touch()
        self._file = self.partial.open("r+b")
        listed, end = [], 0
        for name, entry in zip(names, entries, strict=True):
            if entry.kind is None:
                info = _info(name)
                info.header_offset, info.CRC = end, entry.crc
                info.file_size = info.compress_size = entry.size
                listed.append(info)
            end += _room(name, entry)
        self._file.truncate(end)
        self._file.seek(end)
        self._zip = zipfile.ZipFile(self._file, "w")
        self._zip.filelist.extend(listed)

    def add(self, name: str, png: bytes) -> None:
        """Write the next picture; on the system's side when this returns."""
        self._zip.writestr(_info(name), png)
        self._file.flush()

    def finish(self, labels: Sequence[tuple[str, int]], class_names: Sequence[str]) -> None:
        """Write the labels and the directory, and put the result in its place."""
        record = {"labels": [list(label) for label in labels] or None, "class_names": list(class_names) or None}
        self._zip.writestr(_info("dataset.json"), json.dumps(record, ensure_ascii=False).encode())
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.partial.replace(self.out)

    def close(self) -> None:
        """Leave what was written as it is; zipfile adds a directory, which `begin` cuts off."""
        with contextlib.suppress(OSError):  # of a disk that is full, the first error is the one to report
            self._zip.close()
            self._file.close()

    def discard(self) -> None:
        """Remove what was written."""
        self.close()
        self.partial.unlink(missing_ok=True)


class FolderOutput:
    """A folder of PNG files; the folders in it are the classes."""

    def __init__(self, out: Path, partial: Path) -> None:
        self.out = out
        self.partial = partial

    def whole(self, names: Sequence[str], entries: Sequence[Entry]) -> int:
        """How many of the first entries' pictures are there to their end."""
        for count, (name, entry) in enumerate(zip(names, entries, strict=False)):
            file = self.partial / name
            if entry.kind is None and not (file.is_file() and file.stat().st_size == entry.size):
                return count
        return len(entries)

    def begin(self, names: Sequence[str], entries: Sequence[Entry]) -> None:
        """Go on behind these; a folder that no entries tell of is begun anew."""
        if not entries:
            shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, png: bytes) -> None:
        """Write the next picture; on the system's side when this returns."""
        file = self.partial / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png)

    def finish(self, labels: Sequence[tuple[str, int]], class_names: Sequence[str]) -> None:
        """Put the result in its place; labels are its folders."""
        self.partial.replace(self.out)

    def close(self) -> None:
        """Nothing is open."""

    def discard(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self.partial, ignore_errors=True)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _WHEN)
    info.external_attr, info.create_system = _READABLE, _UNIX
    if not name.isascii():
        info.flag_bits = 0x800  # the name is UTF-8; zipfile sets it where it writes, but not where it lists again
    return info


def _room(name: str, entry: Entry) -> int:
    """Bytes that a picture takes in a zip before the directory."""
    return 0 if entry.kind else _LOCAL_HEADER + len(name.encode()) + entry.size
