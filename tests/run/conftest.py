"""Whole runs of a tiny game, through `session.train`, without an installed plugin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganlab.run import session
from ganlab.run.run_callback import Resume
from ganlab.spec.model import (
    CheckpointSection,
    DataNode,
    DiversitySection,
    EvaluationSection,
    Node,
    SnapshotSection,
    Spec,
    TrackingSection,
    TrainerSection,
)
from ganlab.training.guard import Guard
from tests.evaluation.test_evaluator import Mean
from tests.tiny import Logistic, TinyData, tiny_gan, tiny_settings

_WHOLE: dict[str, session.Run] = {}


class TinyRuns:
    """Steps of 8 images; by default 6 of them, with a line every 24 and all else every 16 images."""

    def __init__(self, folder: Path, kept: Callable[[], Path] = Path) -> None:
        self.folder = folder
        self._kept = kept
        self.loss = Logistic()
        self.diversity: DiversitySection | None = None

    def module(self, spec, facts):
        module = tiny_gan(tiny_settings(guard=Guard(spec.guard.non_finite, spec.guard.limit)))
        module.loss = self.loss
        return module

    def spec(self, **changes) -> Spec:
        values = {
            "name": "tiny",
            "kimg": 0.048,
            "data": DataNode("optimizers", "sgd", batch_size=8),
            "architecture": Node("optimizers", "adamw"),
            "optimizers": {},
            "trainer": TrainerSection(accelerator="cpu"),
            "checkpoint": CheckpointSection(every_kimg=0.016, keep=10),
            "evaluation": EvaluationSection((Node("optimizers", "rmsprop"),), every_kimg=0.016, samples=10),
            "snapshots": SnapshotSection(every_kimg=0.016, grid=(2, 2)),
            "diversity": self.diversity,
            "tracking": TrackingSection(every_kimg=0.024, progress=False),
        }
        return Spec(**(values | changes))

    def train(self, *, resume: bool = False, change: bool = False, **changes) -> session.Outcome:
        return session.train(self.spec(**changes), self.folder, Resume(change=change) if resume else None)

    def whole(self, **changes) -> session.Run:
        """An uninterrupted run, to be looked at only: it is trained once for all tests."""
        key = repr((sorted(changes.items()), self.diversity))
        if key not in _WHOLE:
            place, self.folder = self.folder, self._kept()
            _WHOLE[key] = self.train(**changes).run
            self.folder = place
        return _WHOLE[key]

    @property
    def only_run(self) -> Path:
        (run,) = (self.folder / "tiny").iterdir()
        return run


@pytest.fixture
def tiny_runs(tmp_path, tmp_path_factory, monkeypatch):
    """Starts and resumes runs in one folder."""
    runs = TinyRuns(tmp_path / "runs", lambda: tmp_path_factory.mktemp("whole"))
    monkeypatch.setattr(session, "open_dataset", lambda node: TinyData())
    monkeypatch.setattr(session, "build_module", runs.module)
    monkeypatch.setattr(session, "rehearse_for", lambda *_: None)  # the nodes of these specs are stand-ins
    monkeypatch.setattr(session, "build_metrics", lambda nodes, facts: {"mean": Mean()})
    return runs


def lines_without_time(path: Path) -> list[dict]:
    """Records of a log, without what the wall clock and the memory say."""
    from ganlab.tracking.jsonl import read_records

    return [
        {name: value for name, value in record.items() if name not in ("seconds", "images_per_second", "memory_mib")}
        for record in read_records(path)
    ]
