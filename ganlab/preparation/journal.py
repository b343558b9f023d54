"""What was done so far, a line for each picture, so that an interrupted preparation goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from ganlab.errors import DataError

try:
    import fcntl
except ImportError:  # not a POSIX system: two at once are not told apart there
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Entry:
    """What became of one picture: its size in bytes, checksum and digest, or the kind of reason why it is left out."""

    size: int = 0
    crc: int = 0
    digest: str = ""
    kind: str | None = None
    reason: str = ""
    was_transparent: bool = False
    enlargement: float = 1.0


class Journal:
    """A file of lines, written behind each picture. Only one process at a time writes to it.

    Raises `DataError` for one that tells of another preparation, and while another process writes to it.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self._file = _locked(path)
        lines = _whole_lines(path, self._file)
        if lines and lines[0] != {"identity": identity}:
            raise DataError(
                f"an interrupted preparation with other options, or of other pictures, left '{path}': give the same to "
                "go on with it, or remove that file to begin anew"
            )
        self.entries = [Entry(**line) for line in lines[1:]]
        if not lines:
            self._rewrite(identity)
        self._identity = identity

    def add(self, entry: Entry) -> None:
        """Note what became of the next picture; on the system's side when this returns."""
        self._write(asdict(entry))
        self.entries.append(entry)

    def keep(self, count: int) -> None:
        """Forget all but the first entries."""
        if count < len(self.entries):
            del self.entries[count:]
            self._rewrite(self._identity)

    def remove(self) -> None:
        """Remove the file: the work is done."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Let another process go on."""
        self._file.close()

    def _rewrite(self, identity: str) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._write({"identity": identity})
        for entry in getattr(self, "entries", ()):
            self._write(asdict(entry))

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def _locked(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    file = os.fdopen(descriptor, "r+", encoding="utf-8", newline="\n")
    if fcntl is None:
        return file
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise DataError(f"another process prepares the same: it holds '{path}'. Wait for its end or stop it") from None
    except OSError:
        pass  # a file system that cannot lock
    return file


def _whole_lines(path: Path, file: TextIO) -> Sequence[dict[str, Any]]:
    """The lines that were written to their end; the file is cut behind them and stands there."""
    text = file.read()
    whole = text[: text.rfind("\n") + 1]
    file.seek(0)
    file.truncate(len(whole.encode()))
    file.seek(0, os.SEEK_END)
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except ValueError as error:
        raise DataError(f"'{path}' is damaged ({error}); remove it to begin anew") from error
