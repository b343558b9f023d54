"""Two processes share an evaluation, and say what one says: of images, labels in their order, and features."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from ganlab.evaluation.evaluator import Evaluator, merge_values
from ganlab.testing.two_ranks import run_on_two_ranks
from tests.evaluation.test_evaluator import Labels, Mean
from tests.evaluation.test_feature_metrics import Colours, Copies, Means
from tests.tiny import TinyData, tiny_gan


class WeightedLabels(Labels):
    def compute(self):
        labels = torch.cat(self.seen[False])
        return {"order": float((labels * torch.arange(len(labels))).sum())}


def measured() -> dict:
    """The numbers of several blocks of fakes, of which the last is not full, and how many images an extractor saw."""
    extractor = Colours()
    metrics = {"mean": Mean(), "labels": WeightedLabels(), "means": Means(extractor), "copies": Copies(extractor)}
    results = Evaluator(metrics, TinyData(50), samples=45, batch_size=8).evaluate(tiny_gan())
    return {"values": merge_values(results), "seen": extractor.seen}


def measure_on_rank(rank: int, folder: Path) -> None:
    os.environ["GANLAB_CACHE"] = str(folder / "cache of two")
    dist.init_process_group("gloo")
    found = measured()
    dist.destroy_process_group()  # or gloo's threads may end the process with an abort
    torch.save(found, folder / f"{rank}.pt")


def test_two_processes_measure_and_extract_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_on_two_ranks(measure_on_rank, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    monkeypatch.setenv("GANLAB_CACHE", str(tmp_path / "cache of one"))
    alone = measured()
    assert first["values"] == second["values"] == alone["values"]
    assert alone["values"]["mean/count"] == alone["values"]["means/count"] == 45
    assert alone["values"]["copies/training"] == 30
    assert first["seen"] == second["seen"] < alone["seen"] <= first["seen"] + second["seen"], "each did its half"
