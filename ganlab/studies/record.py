"""What a run's folder says of it, read without building or importing anything of the run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganlab.errors import RunError, UserError, reason
from ganlab.files import read_mapping
from ganlab.run.folder import DEFAULT_RUNS, Run
from ganlab.spec.yaml_reader import read_yaml
from ganlab.tracking.jsonl import read_records

_TAIL = 2**16  # bytes, more than some lines of any log


@dataclass(frozen=True)
class RunRecord:
    """One run, as its files tell of it; what a file lacks, or a missing file, is empty."""

    path: Path

    @property
    def name(self) -> str:
        """The experiment's name and the folder's, as in `quickstart/20260101-000000`."""
        return f"{self.path.parent.name}/{self.path.name}"

    @cached_property
    def spec_text(self) -> str:
        """The resolved spec as it is written."""
        try:
            return (self.path / "spec.yaml").read_text(encoding="utf-8")
        except OSError as error:
            raise RunError(f"{self.path / 'spec.yaml'} cannot be read: {reason(error)}") from None

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The resolved spec as plain values. Raises `UserError` for a file that is none."""
        path = self.path / "spec.yaml"
        content = read_yaml(self.spec_text, str(path)).plain()
        if not isinstance(content, Mapping) or not isinstance(content.get("kimg"), float | int):
            raise RunError(f"{path} is no resolved spec: it does not say how many 'kimg' the run has")
        return content

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """What the run was made with and from."""
        return read_mapping(self.path / "provenance.json")

    @cached_property
    def best(self) -> Mapping[str, Any]:
        """Of which evaluation `best.ckpt` is: `metric`, `direction`, `value`, `images_seen`."""
        return read_mapping(Run(self.path).best_record)

    @cached_property
    def log(self) -> Sequence[Mapping[str, Any]]:
        """The lines of the log."""
        return read_records(self.path / "log.jsonl")

    @cached_property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """The diary, in the order in which it was written."""
        return read_records(self.path / "events.jsonl")

    @cached_property
    def measured(self) -> Sequence[Mapping[str, Any]]:
        """What was measured in training and afterwards, a record for each metric and moment."""
        records = read_records(self.path / "metrics.jsonl") + read_records(Run(self.path).evaluations)
        return [record for record in records if isinstance(record.get("protocol"), Mapping)]

    @cached_property
    def last_line(self) -> Mapping[str, Any]:
        """The newest line of the log, without reading the others."""
        return last_record(self.path / "log.jsonl")

    @property
    def seconds(self) -> float:
        """How long it was trained, resumes and pauses included."""
        return float(self.last_line.get("seconds") or 0.0)

    @property
    def images_seen(self) -> int:
        """How far it has come, as the log or the diary knows."""
        return max(int(r.get("images_seen", 0)) for r in (self.last_line, *self.events[-1:], {}))

    @property
    def total_images(self) -> int:
        """Its length."""
        return round(float(self.spec["kimg"]) * 1000)

    @property
    def size(self) -> int:
        """Bytes on the disk; what is linked twice counts once."""
        found = {}
        for folder, _, files in os.walk(self.path):
            for file in files:
                try:
                    status = os.lstat(os.path.join(folder, file))
                except OSError:  # it was just replaced
                    continue
                found[status.st_dev, status.st_ino] = status.st_size
        return sum(found.values())


def last_record(path: Path) -> dict[str, Any]:
    """The last whole record of a file of JSON lines; an empty one where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict):
            return record
    return {}


def find_runs(references: Sequence[str], root: Path = DEFAULT_RUNS) -> list[RunRecord]:
    """Runs by their folders, and all runs of a name under `root` or of a folder that holds some; each once.

    Raises `RunError` for a reference that is neither.
    """
    found: dict[Path, RunRecord] = {}
    for reference in references:
        folders = _folders(reference, root)
        if not folders:
            raise RunError(
                f"'{reference}' is no run: neither a folder with a spec.yaml in it, nor one that holds runs, nor the "
                f"name of an experiment under {root.resolve()}"
            )
        found |= {folder: RunRecord(folder) for folder in folders}
    return list(found.values())


def all_runs(root: Path) -> list[RunRecord]:
    """All runs of all names under a folder, by name and age."""
    return [RunRecord(folder) for name in sorted(_subfolders(root)) for folder in _runs_in(name)]


def newest_of(references: Sequence[str], root: Path = DEFAULT_RUNS) -> list[RunRecord]:
    """As `find_runs`, with the newest run alone of a name or of a folder that holds some."""
    found = {}
    for reference in references:
        record = find_runs([reference], root)[-1]
        found[record.path] = record
    return list(found.values())


def readable(records: Sequence[RunRecord]) -> tuple[list[RunRecord], list[str]]:
    """Those whose spec can be read, and what is wrong with the others."""
    found, problems = [], []
    for record in records:
        try:
            record.spec  # noqa: B018
        except UserError as error:
            problems.append(str(error))
        else:
            found.append(record)
    return found, problems


def _folders(reference: str, root: Path) -> list[Path]:
    path = Path(reference)
    if (path / "spec.yaml").is_file():
        return [path.resolve()]
    for folder in (root / reference, path):  # what lies in the current folder hides nothing under `root`
        if folder.is_dir() and (runs := _runs_in(folder)):
            return runs
        if (folder / "spec.yaml").is_file():
            return [folder.resolve()]
    return []


def _runs_in(folder: Path) -> list[Path]:
    return sorted(each.resolve() for each in _subfolders(folder) if (each / "spec.yaml").is_file())


def _subfolders(folder: Path) -> list[Path]:
    return [each for each in folder.glob("*") if each.is_dir()]
