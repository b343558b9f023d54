"""The tiniest run that writes everything a run can write, and how it must be after a fault."""

from __future__ import annotations

import logging
from pathlib import Path

from ganlab.run import session
from ganlab.run.run_callback import Resume
from ganlab.spec.model import CheckpointSection, EvaluationSection, Node, SnapshotSection, TrackingSection
from ganlab.training.checkpoint import load_checkpoint, read_generator
from tests.acceptance.commands import differences
from tests.evaluation.test_evaluator import Mean
from tests.run.conftest import TinyRuns, lines_without_time
from tests.tiny import TinyData

LOGS = ("log.jsonl", "metrics.jsonl")


class Runs:
    """Runs of three steps with checkpoints, pictures, an evaluation and a best one, each in a folder of its own."""

    def __init__(self) -> None:
        logging.basicConfig(format="%(message)s", level=logging.WARNING)
        tiny = TinyRuns(Path())
        session.open_dataset = lambda node: TinyData()  # type: ignore[assignment]
        session.build_module = tiny.module
        session.rehearse_for = lambda *_: None
        session.build_metrics = lambda nodes, facts: {"mean": Mean()}
        self.spec = tiny.spec(
            kimg=0.016,
            checkpoint=CheckpointSection(every_kimg=0.008, keep=2),
            evaluation=EvaluationSection((Node("optimizers", "rmsprop"),), every_kimg=0.008, samples=4),
            snapshots=SnapshotSection(every_kimg=0.008, grid=(1, 2)),
            tracking=TrackingSection(every_kimg=0.008, progress=False),
        )
        self.half = tiny.spec(**{**vars(self.spec), "kimg": 0.008})

    def start(self, folder: Path) -> None:
        session.train(self.spec, folder)

    def start_half(self, folder: Path) -> None:
        session.train(self.half, folder)

    def resume(self, folder: Path) -> None:
        """Go on, or start where the fault came before there was a folder."""
        session.train(self.spec, folder, Resume(or_start=True))

    def problem_after_error(self, folder: Path, code: int, said: str) -> str | None:
        """What does not hold right after an error: a traceback, warnings again and again, a damaged checkpoint."""
        if "Traceback" in said:
            return f"a traceback: {said[-1500:]}"
        if code == 2 and "ganlab: " not in said:
            return f"no sentence: {said[-500:]}"
        warnings = [line for line in said.splitlines() if line.startswith("ganlab: warning: ")]
        if len(warnings) > len({line.partition(":")[2][:40] for line in warnings}):
            return f"a warning again and again: {warnings}"
        for path in folder.glob("*/*/checkpoints/*.ckpt"):
            load_checkpoint(path)
        return None

    def difference(self, folder: Path, whole: Path, said: str) -> str | None:
        """How the newest run in a folder differs from a whole one, but for pictures that its log names as missing.

        Of the last lines and pictures, which no later line can name, the run has `said` that they cannot be written.
        """
        run, other = _newest(folder), _newest(whole)
        last = Path("checkpoints", "last.ckpt")
        if differences(load_checkpoint(run / last), load_checkpoint(other / last)):
            return "another result"
        exported = [read_generator(place / "generator.safetensors")[1] for place in (run, other)]
        if differences(*exported):
            return "another exported generator"
        lines, wanted = ({name: lines_without_time(place / name) for name in LOGS} for place in (run, other))
        gaps = [gap for line in lines["log.jsonl"] for gap in line.pop("gaps", [])]
        for name in LOGS:
            end = len(lines[name]) if "log.jsonl cannot be written to" in said else None
            if lines[name] != wanted[name][:end]:
                return f"other lines in {name}: {[line['images_seen'] for line in lines[name]]}"
        missing = {name for name in _files(other) - _files(run) if not _told_of(name, said)}
        named = {f"samples/{name}" for name in ("reals.png", "latest.png") if gaps}
        named |= {gap.partition(" could not")[0] for gap in gaps}
        if missing - named:
            return f"missing: {sorted(missing - named)}"
        more = _files(run) - _files(other)
        if more and "cannot remove old checkpoints" not in said:
            return f"left behind: {sorted(more)}"
        return None


def _told_of(name: str, said: str) -> bool:
    kinds = {"samples/": "the picture ", "events.jsonl": "log.jsonl cannot be written to"}
    return any(name.startswith(kind) and warning in said for kind, warning in kinds.items())


def _newest(folder: Path) -> Path:
    return max((folder / "tiny").iterdir())


def _files(run: Path) -> set[str]:
    found = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(("spec-before-", "training.lock"))}  # a lock is taken over
