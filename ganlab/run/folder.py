"""Run folders: `runs/<name>/<run id>/` with the resolved spec, provenance, logs, samples and checkpoints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganlab.errors import RunError, reason

if TYPE_CHECKING:
    import torch

    from ganlab.facts import DataFacts
    from ganlab.spec.model import Spec
    from ganlab.training.module import GANModule

DEFAULT_RUNS = Path("runs")

_STAMP = re.compile(r"(\d{8}-\d{6})(?:-(\d+))?")


@dataclass(frozen=True)
class Run:
    """One run folder."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """The folder of the sample grids."""
        return self.path / "samples"

    @property
    def last_checkpoint(self) -> Path:
        """The newest checkpoint; it may not exist yet."""
        return self.checkpoints / "last.ckpt"

    @property
    def best_record(self) -> Path:
        """Of which evaluation `checkpoints/best.ckpt` is; it may not exist."""
        return self.checkpoints / "best.json"

    @property
    def evaluations(self) -> Path:
        """What `ganlab evaluate` measured, a line for each metric as in `metrics.jsonl`; it may not exist yet."""
        return self.path / "evaluations.jsonl"

    @property
    def generator(self) -> Path:
        """The averaged generator alone, as safetensors; never older than the newest checkpoint."""
        return self.path / "generator.safetensors"

    @cached_property
    def spec(self) -> Spec:
        """The resolved spec that the run was started with."""
        from ganlab.spec import read_spec

        return read_spec(self.path / "spec.yaml")

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What the run was made with and from."""
        try:
            record = json.loads((self.path / "provenance.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path / 'provenance.json'} cannot be read: {reason(error)}") from None
        if not isinstance(record, dict):
            raise RunError(f"{self.path / 'provenance.json'} is damaged: it is no mapping")
        return record

    @property
    def facts(self) -> DataFacts:
        """The facts of the data that the run was trained on."""
        from ganlab.facts import DataFacts

        try:
            return DataFacts.from_record(self.provenance["facts"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{self.path / 'provenance.json'} is damaged: its 'facts' are none of data") from error

    @contextmanager
    def where_it_started(self) -> Iterator[None]:
        """Work in the folder in which the run was started, or resumed last, so that relative paths of its spec hold.

        Where that folder is gone, as on another machine, they are relative to the current one. Other relative paths
        have to be made absolute before.
        """
        sessions = [self.provenance, *self.provenance.get("resumed", [])]
        folder = sessions[-1].get("working_directory")
        with chdir(folder) if folder and Path(folder).is_dir() else nullcontext():
            yield

    def load_module(self, device: torch.device | str = "cpu", checkpoint: str | Path | None = None) -> GANModule:
        """The architecture with the weights of a checkpoint, in evaluation mode; needs no data.

        Without a `checkpoint`, a file, `best`, or the thousands of images of one of the run's, it is the newest. Raises
        `RunError` if it cannot be read, or if it is another architecture's.
        """
        from ganlab.build import build_module
        from ganlab.run.checkpoint_files import take_chosen
        from ganlab.training.checkpoint import restore_networks

        spec, facts = self.spec, self.facts
        with self.where_it_started():
            module = build_module(spec, facts)
        take_chosen(self.checkpoints, checkpoint, partial(restore_networks, module), device)
        return module.to(device).eval()


def create_run(root: Path, name: str) -> Run:
    """A new, empty run folder; never one that exists."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for attempt in range(1000):
        path = root / name / (f"{stamp}-{attempt}" if attempt else stamp)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        run = Run(path)
        run.checkpoints.mkdir()
        run.samples.mkdir()
        return run
    raise RunError(f"cannot make a new run folder under {root / name}")


def open_run(reference: str | Path, root: Path = DEFAULT_RUNS) -> Run:
    """A run by its folder, or the newest run of a name under `root`, by the time in the folders' names.

    Raises `RunError` with what was looked for if there is no such run.
    """
    path = Path(reference)
    if (path / "spec.yaml").is_file():
        return Run(path.resolve())
    # A folder of another kind, such as that of the pictures, may have the name of an experiment.
    found = ([run for run in folder.glob("*") if (run / "spec.yaml").is_file()] for folder in (root / path, path))
    runs = next(filter(None, found), None)
    if not runs:
        raise RunError(
            f"'{reference}' is no run: neither a folder with a spec.yaml in it nor the name of a run under "
            f"{root.resolve()}"
        )
    return Run(max(runs, key=_age).resolve())


def spec_file(reference: str) -> str:
    """The spec of a run, where a run's folder or the name of an experiment is given; else the path as it is."""
    path = Path(reference)
    is_name = not path.exists() and not path.suffix and (DEFAULT_RUNS / reference).is_dir()
    return str(open_run(reference).path / "spec.yaml") if path.is_dir() or is_name else reference


def find_resumable(folder: Path) -> Run | None:
    """The run in a folder, or the newest of the runs in it; None if there is none.

    It may have been killed at any moment, and so have no spec yet: an empty folder with the name of a run is one.
    """
    if (folder / "spec.yaml").is_file() or (folder.is_dir() and _STAMP.fullmatch(folder.name)):
        return Run(folder)
    inside = folder.glob("*") if folder.is_dir() else []
    runs = [path for path in inside if (path / "spec.yaml").is_file() or _STAMP.fullmatch(path.name)]
    return Run(max(runs, key=_age)) if runs else None


def _age(folder: Path) -> tuple[str, int, str]:
    """Folders of one second are numbered; other names than those of `create_run` come first."""
    found = _STAMP.fullmatch(folder.name)
    return (found[1], int(found[2] or 0), folder.name) if found else ("", 0, folder.name)
