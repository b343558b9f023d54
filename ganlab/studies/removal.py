"""Removes runs, and never one that is being trained."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganlab.errors import RunError, UserError, reason
from ganlab.run.lock import NAME, RunLock, look_at_lock
from ganlab.studies.record import RunRecord


@dataclass(frozen=True)
class Removal:
    """What is to be removed: runs, without the files in them that are named in `kept`."""

    runs: Sequence[RunRecord]
    kept: Sequence[str] = ()

    def carry_out(self) -> None:
        """Remove them, each while its folder is locked. Raises `RunError` for one that is trained or stays."""
        for run in self.runs:
            lock = RunLock(run.path)
            try:
                _empty(run.path, stay=_files(run.path, self.kept))
            except OSError as error:
                raise RunError(f"{run.path} cannot be removed as a whole: {reason(error)}") from error
            finally:
                lock.release()
            for folder in (run.path, run.path.parent):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()


def plan_removal(runs: Sequence[RunRecord], keep: Sequence[str]) -> Removal:
    """What is left to remove where `keep` names runs, by folder name, or files in runs, also as patterns.

    Raises `RunError` for runs that are being trained, and `UserError` for a name that matches nothing.
    """
    names = {name for name in keep if any(name in (run.name, run.path.name, str(run.path)) for run in runs)}
    left = [run for run in runs if not names & {run.name, run.path.name, str(run.path)}]
    kept = [name for name in keep if name not in names]
    for name in kept:
        if not any(_files(run.path, [name]) for run in left):
            raise UserError(f"--keep {name}: neither one of these runs nor a file in one of them; nothing was removed")
    for run in left:
        if (lock := look_at_lock(run.path)).held:
            raise RunError(f"{run.path} is being trained ({lock.holder}); nothing was removed")
    return Removal(left, kept)


def _files(folder: Path, patterns: Sequence[str]) -> set[Path]:
    found = {file for pattern in patterns for file in folder.glob(pattern)}
    return {file for each in found for file in ([each] if each.is_file() else each.rglob("*")) if file.is_file()}


def _empty(folder: Path, stay: set[Path]) -> None:
    """Remove all but some files, their folders, and the lock."""
    for path in folder.iterdir():
        if path in stay or path.name == NAME:
            continue
        if path.is_dir() and not path.is_symlink():
            if any(path in file.parents for file in stay):
                _empty(path, stay)
            else:
                shutil.rmtree(path)
        else:
            path.unlink()
