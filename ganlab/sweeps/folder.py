"""The folder of a sweep: `<runs>/sweeps/<name>/` with its file, what it was begun with, and a folder for each trial."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganlab.errors import UserError, reason
from ganlab.files import write_text_atomically
from ganlab.sweeps.file import SweepFile, read_sweep_file

_FILE = "sweep.yaml"
_RECORD = "sweep.json"


@dataclass(frozen=True)
class SweepFolder:
    """One sweep's folder."""

    path: Path

    @property
    def exists(self) -> bool:
        """Whether a sweep was begun here."""
        return (self.path / _RECORD).is_file()

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """What the sweep was begun with: `name`, `storage` (without a password), `working_directory`, `search_seed`."""
        try:
            record: dict[str, Any] = json.loads((self.path / _RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"'{self.path}' is no sweep's folder: {_RECORD} cannot be read: {reason(error)}") from None
        return record

    @cached_property
    def sweep(self) -> SweepFile:
        """The sweep's file as it was begun, or gone on with last."""
        return read_sweep_file(self.path / _FILE, self.record["name"])

    def trial(self, number: int) -> Path:
        """The folder of a trial, which is the folder of all runs for the training in it."""
        return self.path / "trials" / f"{number:04d}"

    def write(self, sweep: SweepFile, record: Mapping[str, Any]) -> None:
        """Keep the file and what it is begun with. Raises `UserError` where the folder cannot be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_text_atomically(self.path / _FILE, sweep.text)
            write_text_atomically(self.path / _RECORD, json.dumps(record, indent=2) + "\n")
        except OSError as error:
            raise UserError(f"the sweep's folder {self.path} cannot be written: {reason(error)}") from None


def newest_run(trial: Path) -> Path | None:
    """The run in a trial's folder; the newest, should there be several."""
    runs = [path for path in trial.glob("*/*") if (path / "spec.yaml").is_file()]
    return max(runs, key=lambda path: path.stat().st_mtime, default=None)
