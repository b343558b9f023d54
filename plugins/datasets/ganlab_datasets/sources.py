"""Where image files come from: a folder or a zip. Both may be sent to worker processes."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol, cast

from ganlab.errors import DataError, DataMissing
from ganlab.printable import printable

_LARGEST_FILE = 1 << 30  # bytes of one file in a zip; more is a mistake or an attack
_READ_AT_ONCE = 1 << 22  # larger files of a zip are unpacked while they are read
_NAMED = 3
_HASH_ALL_UP_TO = 1 << 28  # bytes
_HASH_FILES = 1000
_HASH_BYTES = 1 << 20


class Source(Protocol):
    """Image files by name; `names` are relative, with '/', in the same order on every machine."""

    names: list[str]

    def open(self, name: str) -> BinaryIO:
        """The file, for reading."""
        ...

    def describe(self, name: str) -> str:
        """How a message names the file."""
        ...

    def fingerprint(self) -> str:
        """Identifies names and content."""
        ...


class FolderSource:
    """All files below a folder whose names end in one of `suffixes`; hidden files and folders are left out.

    So are pipes and devices. Links out of the folder are an error unless `follow_links` says that they are meant.
    """

    def __init__(self, path: str, suffixes: frozenset[str], follow_links: bool = False) -> None:
        self.path = Path(path).expanduser()
        if not self.path.is_dir():
            if self.path.exists():
                raise DataError(f"the image folder '{path}' is a file, not a folder")
            raise DataMissing(
                f"the image folder '{path}' does not exist; a relative 'path' starts at the current folder"
            )
        try:
            self._sizes = dict(sorted(_walk(self.path, "", suffixes, ())))
            outside = [] if follow_links else sorted(_links_out_of(self.path, self._sizes))
        except OSError as error:
            raise DataError(f"the image folder '{path}' cannot be read: {error}") from error
        if outside:
            named = ", ".join(printable(name) for name in outside[:_NAMED])
            raise DataError(
                f"{len(outside)} files in '{path}' lie elsewhere, where links lead (such as {named}); "
                "'follow_links: true' takes them"
            )
        self.names = list(self._sizes)
        self._folder = str(self.path)

    def keep(self, names: Iterable[str]) -> None:
        """Leave out all files but these."""
        self._sizes = {name: self._sizes[name] for name in names}
        self.names = list(self._sizes)

    def open(self, name: str) -> BinaryIO:
        """The file, for reading."""
        return open(f"{self._folder}/{name}", "rb")  # pathlib takes longer to join the two than to open the file

    def describe(self, name: str) -> str:
        """How a message names the file."""
        return printable(str(self.path / name))

    def fingerprint(self) -> str:
        """Hash of all names and sizes, and of the bytes of all files, if they are up to 256 MiB together.

        Of larger sets the first MiB of 1,000 evenly spaced files stands for the content. Times do not count.
        """
        digest = hashlib.blake2b(repr(self._sizes).encode(), digest_size=16)
        for name in self._hashed_names():
            try:
                with self.open(name) as file:
                    digest.update(file.read(_HASH_BYTES if sum(self._sizes.values()) > _HASH_ALL_UP_TO else -1))
            except OSError:
                digest.update(b"unreadable")
        return digest.hexdigest()

    def _hashed_names(self) -> list[str]:
        if sum(self._sizes.values()) <= _HASH_ALL_UP_TO:
            return self.names
        return [self.names[place * len(self.names) // _HASH_FILES] for place in range(_HASH_FILES)]


def _walk(folder: Path, prefix: str, suffixes: frozenset[str], around: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Names and sizes of all files below; links are followed, but not those to a folder that they lie in."""
    inside = (*around, os.path.realpath(folder))
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".")]
    for entry in shown:
        if entry.is_dir():
            leads_back = entry.is_symlink() and os.path.realpath(entry.path) in inside
            below = _walk(folder / entry.name, f"{prefix}{entry.name}/", suffixes, inside)
            yield from () if leads_back else below
        elif PurePosixPath(entry.name).suffix.lower() in suffixes and (size := _size(entry)) is not None:
            yield prefix + entry.name, size


def _size(entry: os.DirEntry[str]) -> int | None:
    """None for what is no file: a pipe may never end."""
    try:
        found = entry.stat()
    except OSError:  # a link to nowhere: it is found again, and reported, when its header is read
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _links_out_of(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """The names that stand for files elsewhere; a folder is resolved once, however many files are in it."""
    root = os.path.realpath(folder)
    places: dict[str, str] = {"": root}
    for name in names:
        parent, _, own = name.rpartition("/")
        if parent not in places:
            places[parent] = os.path.realpath(folder / parent)
        path = os.path.join(places[parent], own)
        place = os.path.realpath(path) if os.path.islink(path) else path
        if os.path.commonpath([root, place]) != root:
            yield name


class ZipSource:
    """All files in a zip whose names end in one of `suffixes`. Every process opens the zip for itself."""

    def __init__(self, path: str, suffixes: frozenset[str]) -> None:
        self.path = Path(path).expanduser()
        self._archive: zipfile.ZipFile | None = None
        self._process = 0
        entries = self._opened().infolist()
        self._entries = {entry.filename: (entry.file_size, entry.CRC) for entry in entries if not entry.is_dir()}
        self.names = sorted(name for name in self._entries if _is_image(PurePosixPath(name), suffixes))

    def open(self, name: str) -> BinaryIO:
        """The file, for reading."""
        size, _ = self._entries[name]
        if size > _LARGEST_FILE:
            raise ValueError(f"it unpacks to {size:,} bytes; {_LARGEST_FILE:,} are allowed")
        if size > _READ_AT_ONCE:
            return cast(BinaryIO, self._opened().open(name))
        return io.BytesIO(self._opened().read(name))

    def describe(self, name: str) -> str:
        """How a message names the file."""
        return printable(f"{name} in {self.path}")

    def fingerprint(self) -> str:
        """Hash of all names, sizes and checksums in the zip."""
        return hashlib.blake2b(repr(sorted(self._entries.items())).encode(), digest_size=16).hexdigest()

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_archive": None}

    def _opened(self) -> zipfile.ZipFile:
        # A forked process shares the parent's place in the file: reading through it would mix both up.
        if self._archive is None or self._process != os.getpid():
            self._archive, self._process = _open_zip(self.path), os.getpid()
        return self._archive


class ChosenFiles:
    """Some files of a source, in an order of their own."""

    def __init__(self, source: Source, names: list[str]) -> None:
        self.source = source
        self.names = names

    def open(self, name: str) -> BinaryIO:
        """The file, for reading."""
        return self.source.open(name)

    def describe(self, name: str) -> str:
        """How a message names the file."""
        return self.source.describe(name)

    def fingerprint(self) -> str:
        """Identifies the source and the choice."""
        chosen = hashlib.blake2b(repr(self.names).encode(), digest_size=4).hexdigest()
        return f"{self.source.fingerprint()}-{chosen}"


def open_source(path: str, suffixes: frozenset[str], follow_links: bool = False) -> Source:
    """The files with these endings in a folder, or in a zip. Raises `DataError` where there are none."""
    zipped = path.lower().endswith(".zip")
    source: Source = ZipSource(path, suffixes) if zipped else FolderSource(path, suffixes, follow_links)
    if not source.names:
        raise DataError(
            f"no images in '{path}' or the folders below; files count as images by their ending (.png, .jpg, .webp, "
            ".tif, ...)"
        )
    return source


def _is_image(name: PurePosixPath, suffixes: frozenset[str]) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return name.suffix.lower() in suffixes and not hidden


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise DataMissing(f"the zip '{path}' does not exist; a relative 'path' starts at the current folder") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' cannot be read as a zip: {error}") from error
