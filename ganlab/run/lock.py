"""One training at a time in a run's folder: a lock file with the host and the process that writes there."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganlab.errors import RunError

try:
    import fcntl
except ImportError:  # not a POSIX system: two that start within a millisecond are not told apart there
    fcntl = None  # type: ignore[assignment]

NAME = "training.lock"


class RunLock:
    """Held by the training that writes to a run's folder; what a process of this host left when it died is taken over.

    Raises `RunError` while another one holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._own = this_process()
        with _opened(self.path) as descriptor:
            holder = _read(descriptor)
            if holder is not None and may_live(holder):
                raise RunError(_in_use(self.path, holder))
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(self._own).encode(), 0)

    def release(self) -> None:
        """Let the next training in; also where the folder is gone, or in another's hands by now."""
        with contextlib.suppress(OSError):
            if json.loads(self.path.read_text(encoding="utf-8") or "null") == self._own:
                self.path.unlink()


@dataclass(frozen=True)
class LockState:
    """Whether a training holds the lock of a folder, or has `left` it there when it was killed, and who that is."""

    held: bool = False
    left: bool = False
    holder: str = ""


def look_at_lock(folder: Path) -> LockState:
    """The state of a folder's lock; one that another host holds counts as held."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except OSError:
        return LockState()
    try:
        holder = _read(descriptor)
    finally:
        os.close(descriptor)
    if holder is None:
        return LockState(left=True, holder="the process that wrote there")
    where = "" if holder["host"] == socket.gethostname() else f" on {holder['host']}"
    who = f"process {holder['pid']}{where}"
    return LockState(held=True, holder=who) if may_live(holder) else LockState(left=True, holder=who)


def this_process() -> dict[str, Any]:
    """What tells this process from all others: host, number, and when it was started."""
    return {**describe_process(os.getpid()), "started": datetime.now(UTC).isoformat(timespec="seconds")}


def describe_process(pid: int) -> dict[str, Any]:
    """The same of any process of this host."""
    return {"host": socket.gethostname(), "pid": pid, "born": _born(pid)}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The lock file for the moment in which its holder is looked at and changed, which is one process's alone."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _wait_for(descriptor)
            if not _is_still(descriptor, path):  # whoever held it has removed the file meanwhile
                continue
            yield descriptor
            return
        finally:
            os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system that cannot lock
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _read(descriptor: int) -> dict[str, Any] | None:
    """The holder; None for a file that was not written to the end."""
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return {"host": str(holder["host"]), "pid": int(holder["pid"]), **holder}
    except (ValueError, KeyError, TypeError):
        return None


def may_live(holder: dict[str, Any]) -> bool:
    """Whether a process lives that `this_process` described; of another host's it is not known, and so it may."""
    if holder["host"] != socket.gethostname():
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, as somebody else's
    return holder.get("born") == _born(holder["pid"])


def _born(pid: int) -> int | None:
    """When a process was started, in ticks since the machine was, as numbers of processes come again.

    None for one that is dead and waits for its parent to take note, and on systems other than Linux.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if after_name[0] == "Z" else int(after_name[19])
    except (OSError, ValueError, IndexError):
        return None


def _in_use(path: Path, holder: dict[str, Any]) -> str:
    here = holder["host"] == socket.gethostname()
    where = "on this machine" if here else f"on {holder['host']}"
    return (
        f"another training writes to {path.parent}: process {holder['pid']} {where}, since {holder.get('started')}. "
        "Wait for its end or stop it" + ("" if here else f"; if it is dead, remove {path}")
    )
