"""Where a sweep keeps its trials: Optuna's journal in the sweep's folder, or a PostgreSQL database."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from ganlab.errors import UserError, reason

if TYPE_CHECKING:
    from sqlalchemy import Engine

JOURNAL = "study.journal"
_DEAD_AFTER = 30  # seconds after which a lock is taken from whoever died with it; writing takes milliseconds
_CLAIM_DEAD_AFTER = 120  # choosing a configuration may take seconds
_CONNECT_SECONDS = 10
_ATTEMPTS = 5


@dataclass(frozen=True)
class Place:
    """A storage, what keeps all others from claiming trials meanwhile, and what trouble with it raises."""

    storage: BaseStorage
    claiming: Callable[[], AbstractContextManager[None]]
    troubles: tuple[type[Exception], ...] = (OSError, StorageInternalError)


def open_place(folder: Path, url: str | None, study: str) -> Place:
    """The journal of a folder, or the database of a URL. Raises `UserError` where it cannot be reached."""
    if url is not None:
        return _open_database(url, study)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Place(JournalStorage(WholeLines(folder / JOURNAL)), lambda: _held(folder / "claims"))
    except OSError as error:
        raise UserError(f"the sweep's folder {folder} cannot be written: {reason(error)}") from None


class WholeLines(JournalFileBackend):
    """Optuna's journal, in which a line that was cut off, by a kill or a full disk, is taken back.

    Optuna would append to the rest of it, and then nobody could read the journal any more.
    """

    def __init__(self, path: Path) -> None:
        # The lock is a file made with O_EXCL, which NFS keeps from version 3 on.
        self._path = path.resolve()
        self._appending = JournalFileOpenLock(str(self._path), grace_period=_DEAD_AFTER)
        super().__init__(str(self._path), self._appending)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write records behind the last whole line, all or none."""
        import json

        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        self._appending.acquire()
        try:
            self._write(text)
        finally:
            self._appending.release()

    def _write(self, text: bytes) -> None:
        with self._path.open("r+b") as file:
            end = _end_of_lines(file.fileno(), file.seek(0, os.SEEK_END))
            try:
                file.truncate(end)
                file.seek(end)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(file.fileno(), end)
                raise


def _end_of_lines(descriptor: int, size: int) -> int:
    """Where the last whole line ends."""
    block = 2**16
    while size:
        start = max(0, size - block)
        found = os.pread(descriptor, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


@contextmanager
def _held(path: Path) -> Iterator[None]:
    lock = JournalFileOpenLock(str(path.resolve()), grace_period=_CLAIM_DEAD_AFTER)
    lock.acquire()
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError):  # taken from us, because we were so slow
            lock.release()


def check_url(url: str) -> str:
    """The URL as SQLAlchemy is to have it. Raises `UserError` for anything but PostgreSQL."""
    scheme, separator, rest = url.partition("://")
    dialect, _, driver = scheme.partition("+")
    if dialect == "sqlite":
        raise UserError(
            "--storage: SQLite is not safe where several workers write; leave --storage out for the journal in the "
            "sweep's folder, which is, or name a PostgreSQL database"
        )
    if not separator or dialect not in ("postgresql", "postgres"):
        raise UserError(f"--storage: '{shown(url)}' is no database of PostgreSQL, as postgresql://user@host/name is")
    return f"postgresql+{driver or 'psycopg'}://{rest}"


def shown(url: str) -> str:
    """A URL without its password."""
    scheme, separator, rest = url.partition("://")
    account, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{account.partition(':')[0]}{at}{host}"


def _open_database(url: str, study: str) -> Place:
    whole = check_url(url)
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        raise UserError("--storage needs SQLAlchemy: pip install 'ganlab[postgresql]'") from None
    options: dict[str, Any] = {"pool_pre_ping": True, "connect_args": {"connect_timeout": _CONNECT_SECONDS}}
    try:
        storage = _make_tables(whole, options)
        engine = create_engine(whole, **options)
        key = zlib.crc32(study.encode())
        return Place(
            get_storage(storage), lambda: _advisory_lock(engine, key), (OSError, StorageInternalError, SQLAlchemyError)
        )
    except ImportError as error:
        raise UserError(f"--storage needs a driver: pip install 'ganlab[postgresql]' ({reason(error)})") from None
    except (StorageInternalError, SQLAlchemyError, OSError) as error:
        raise UserError(f"the database {shown(url)} cannot be reached: {trouble(error)}") from None


def _make_tables(url: str, options: dict[str, Any]) -> RDBStorage:
    """Optuna's storage; workers that start at once get into each other's way as they make its tables."""
    from sqlalchemy.exc import IntegrityError, ProgrammingError

    for attempt in range(_ATTEMPTS):
        try:
            return RDBStorage(url, engine_kwargs=options)
        except (IntegrityError, ProgrammingError):
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


@contextmanager
def _advisory_lock(engine: Engine, key: int) -> Iterator[None]:
    """PostgreSQL's lock by number, which ends with its connection, should the process die."""
    from sqlalchemy import text

    with engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        yield


def trouble(error: BaseException) -> str:
    """Why a storage cannot be used, in a line; Optuna and SQLAlchemy wrap what the driver said."""
    inner: BaseException = error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    lines = [line.strip() for line in str(inner).splitlines() if line.strip()]
    return next((line for line in lines if "failed" in line or "refused" in line), reason(inner))
