"""Files that are written whole or not at all, or read if they can be, and where what can be made again is kept."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """Where results are kept that can be found again at any time; `GANLAB_CACHE` names another folder."""
    usual = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GANLAB_CACHE") or Path(usual) / "ganlab").expanduser()


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, sync it to the disk, and rename it.

    Readers see the old file or the new one; a crash or a full disk leaves the old one, and a crash a temporary file,
    which `remove_leftovers` removes. The temporary file has the suffix of `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        write(temporary)
        _sync(temporary)
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):  # of a disk that fails, the first error is the one to report
            temporary.unlink(missing_ok=True)
    if os.name == "posix":
        _sync(path.parent)


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file, in UTF-8, whole or not at all."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a file of JSON; an empty one where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that a process left in a folder when it was killed."""
    for file in folder.glob(".*.tmp*"):
        with contextlib.suppress(OSError):  # it costs room, nothing else
            file.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
