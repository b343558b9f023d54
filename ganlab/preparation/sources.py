"""Folders and archives as sources of pictures. Nothing is unpacked to the disk, and archives' names are never paths."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from ganlab.errors import DataError
from ganlab.pictures import SUFFIXES
from ganlab.preparation.databases import LMDBSource, cifar_archive, idx_file
from ganlab.preparation.members import (
    Content,
    Member,
    Source,
    Unpacking,
    Unreadable,
    reason_of,
    safe_name,
    too_large,
)
from ganlab.preparation.videos import SUFFIXES as VIDEO_SUFFIXES
from ganlab.preparation.videos import VideoSource

DAMAGE = (tarfile.TarError, EOFError, OSError, zlib.error, zipfile.BadZipFile)
"""What reading a damaged source raises."""


def open_source(path: Path, every: int, follow_links: bool = False) -> Source:
    """The source at a path, by what it holds.

    Raises `DataError` for one that is missing, damaged, malicious or of no known kind.
    """
    if LMDBSource.holds(path):
        return LMDBSource(path)
    if path.is_dir():
        return FolderSource(path, follow_links)
    if not path.exists():
        raise DataError(f"the source '{path}' does not exist; a relative path starts at the current folder")
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return VideoSource(path, every)
    if suffix in SUFFIXES:
        raise DataError(f"the source '{path}' is one picture; name the folder that holds it, with --include if needed")
    try:
        if (arrays := idx_file(path)) is not None:
            return arrays
        if tarfile.is_tarfile(path):
            return cifar_archive(path) or TarSource(path)
        if zipfile.is_zipfile(path):
            return ZipSource(path)
    except DAMAGE as error:
        raise DataError(f"the source '{path}' cannot be read: {reason_of(error)}") from error
    raise DataError(
        f"the source '{path}' is no folder, zip, tar (.tar, .tar.gz, .tgz, .tar.xz), file of MNIST's kind or video "
        f"({', '.join(sorted(VIDEO_SUFFIXES))}), or it is damaged"
    )


class FolderSource:
    """All files below a folder, sorted by name; hidden files and folders, pipes and devices are left out.

    What links lead to outside of the folder counts as a link, unless `follow_links` says that it is meant.
    """

    def __init__(self, path: Path, follow_links: bool = False) -> None:
        self.path = path
        try:
            found = sorted(_walk(path, "", (path.resolve(),)), key=lambda member: member.name)
            self.members = [replace(member, is_link=False) for member in found] if follow_links else found
        except OSError as error:
            raise DataError(f"the folder '{path}' cannot be read: {error}") from error

    def contents(self, names: Sequence[str]) -> Iterator[Content]:
        """The bytes of the files."""
        for name in names:
            try:
                file = self.path / name
                yield too_large(file.stat().st_size) or file.read_bytes()
            except OSError as error:
                yield Unreadable(reason_of(error))


def _walk(folder: Path, prefix: str, above: tuple[Path, ...]) -> Iterator[Member]:
    root, here = above[0], above[-1]
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_file() or not entry.exists():  # a link to nowhere is reported as unreadable
            place = entry.resolve() if entry.is_symlink() else here / entry.name
            size = entry.stat().st_size if entry.exists() else 0
            yield Member(prefix + entry.name, size, entry.exists() and not place.is_relative_to(root))
        elif entry.is_dir() and (real := entry.resolve()) not in above:  # a link to a folder around it would never end
            yield from _walk(entry, f"{prefix}{entry.name}/", (*above, real))


class ZipSource:
    """The files in a zip, in its own order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        unpacking = Unpacking(path)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        for entry in entries:
            self._entries[safe_name(path, entry.filename)] = entry
            unpacking.add(entry.file_size)
        if any(entry.flag_bits & 1 for entry in entries):
            raise DataError(f"the zip '{path}' is encrypted; unpack it yourself and name the folder")
        self.members = [
            Member(name, entry.file_size, stat.S_ISLNK(entry.external_attr >> 16))
            for name, entry in self._entries.items()
        ]

    def contents(self, names: Sequence[str]) -> Iterator[Content]:
        """The unpacked files."""
        with zipfile.ZipFile(self.path) as archive:
            for name in names:
                try:
                    entry = self._entries[name]
                    yield too_large(entry.file_size) or archive.read(entry)
                except (*DAMAGE, NotImplementedError, RuntimeError) as error:
                    yield Unreadable(reason_of(error))


class TarSource:
    """The files in a tar, compressed or not, in its own order: a compressed one is read from the front to the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        unpacking = Unpacking(path)
        found: dict[str, Member] = {}
        try:
            for entry, _ in _entries(path):
                name = safe_name(path, entry.name)
                unpacking.add(entry.size)
                if not entry.isdir():
                    found.setdefault(name, Member(name, entry.size, not entry.isfile()))
        except DAMAGE as error:
            raise DataError(f"the tar '{path}' is damaged or was not fetched to its end: {error}") from error
        self.members = list(found.values())

    def contents(self, names: Sequence[str]) -> Iterator[Content]:
        """The unpacked files."""
        wanted = iter(names)
        name = next(wanted, None)
        for entry, archive in _entries(self.path):
            if name is None:
                return
            if safe_name(self.path, entry.name) == name and entry.isfile():
                yield too_large(entry.size) or _read(archive.extractfile(entry))
                name = next(wanted, None)
        if name is not None:
            raise tarfile.ReadError(f"it ends before '{name}'")


def _entries(path: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    with tarfile.open(path) as archive:
        for entry in archive:
            yield entry, archive
            archive.members = []  # type: ignore[attr-defined]  # else it keeps all: gigabytes for millions of files


def _read(file: IO[bytes] | None) -> Content:
    assert file is not None, "an entry that is a file has content"
    try:
        return file.read()
    except DAMAGE as error:
        return Unreadable(reason_of(error))
