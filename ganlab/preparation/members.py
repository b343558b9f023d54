"""What a source of pictures holds, and what is refused of it before anything is unpacked."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ganlab.errors import DataError
from ganlab.pictures import SUFFIXES

LARGEST_PICTURE = 1 << 30  # bytes of one file; more is a mistake or an attack
_LARGEST_UNASKED = 1 << 30  # bytes that an archive may unpack to, whatever its own size
_LARGEST_RATIO = 200  # bytes unpacked for each byte of an archive; pictures hardly shrink


@dataclass(frozen=True)
class Member:
    """One file of a source: its name with '/', its size in bytes, and whether it only points to another."""

    name: str
    size: int
    is_link: bool = False


@dataclass(frozen=True)
class Unreadable:
    """Stands for the content of a file that could not be read, or that lacks what it needs."""

    reason: str
    kind: str = "unreadable"


Content = bytes | NDArray[np.uint8] | Unreadable
"""A file's bytes, or a decoded picture (H, W, 3) or (H, W), or why there is none."""


class Source(Protocol):
    """Pictures in a folder, an archive or a video, in the order in which they are read; the same at each time."""

    path: Path
    members: list[Member]

    def contents(self, names: Sequence[str]) -> Iterator[Content]:
        """The contents of some members, named in their order."""
        ...


def is_picture(name: str) -> bool:
    """Whether a file counts as a picture by its ending; hidden files, and macOS' notes in archives, do not."""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name matches any of some glob patterns; `*` stands for any text, '/' included."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def safe_name(path: Path, name: str) -> str:
    """The name of a member of an archive without './' in front. Raises `DataError` for one that leads out of it."""
    plain = name.replace("\\", "/")
    parts = PurePosixPath(plain).parts
    if ".." in parts or plain.startswith("/") or (parts and parts[0].endswith(":")):
        raise DataError(
            f"'{path}' holds '{name}', a name that leads out of the archive, as only a damaged or malicious one does: "
            "it is refused. If you trust it, unpack it yourself and name the folder"
        )
    return "/".join(parts)


class Unpacking:
    """Counts what an archive unpacks to. Raises `DataError` once that is out of all proportion to its size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._packed = max(1, path.stat().st_size)
        self._unpacked = 0

    def add(self, size: int) -> None:
        """Count a member of so many bytes, before it is unpacked."""
        self._unpacked += size
        if self._unpacked > _LARGEST_UNASKED and self._unpacked > _LARGEST_RATIO * self._packed:
            raise DataError(
                f"'{self.path}' has {self._packed:,} bytes and unpacks to {self._unpacked:,} or more, as a "
                "decompression bomb does: it is refused. If you trust it, unpack it yourself and name the folder"
            )


def check_links(path: Path, members: Sequence[Member]) -> None:
    """Raise `DataError` for members of an archive that point to other files, and for links out of a folder."""
    links = [member.name for member in members if member.is_link]
    if links and path.is_dir():
        raise DataError(
            f"{len(links)} files in '{path}' lie elsewhere, where links lead, such as '{links[0]}': --follow-links "
            "takes them, --exclude leaves them out"
        )
    if links:
        raise DataError(
            f"'{path}' holds {len(links)} links to other files in place of pictures, such as '{links[0]}': links in "
            f"archives are not followed. Leave them out: --exclude '{links[0]}'"
        )


def too_large(size: int) -> Unreadable | None:
    """The reason against a file of so many bytes, if there is one."""
    if size <= LARGEST_PICTURE:
        return None
    return Unreadable(f"it unpacks to {size:,} bytes; {LARGEST_PICTURE:,} are allowed")


def reason_of(error: Exception, what: str = "file") -> str:
    """Why a file of an archive or folder could not be read."""
    named: Any = getattr(error, "strerror", None) or str(error)
    return f"the {what} cannot be read: {named or type(error).__name__}"
