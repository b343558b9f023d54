"""One process with the whole batch against two with half of it each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


def train(folder: Path, processes: int, precision: str = "32-true", norm: str = "none") -> list[dict]:
    folder.mkdir()
    arguments = [str(ROOT / "tests/training/two_processes.py"), str(folder), precision, norm]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = launcher + arguments if processes > 1 else [sys.executable, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr[-4000:]
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(processes)]


@pytest.mark.parametrize(("precision", "tolerance"), [("32-true", 1e-5), ("64-true", 1e-12)])
def test_two_processes_give_the_parameters_of_one(tmp_path: Path, precision: str, tolerance: float) -> None:
    (alone,) = train(tmp_path / "one", 1, precision)
    first, second = train(tmp_path / "two", 2, precision)
    for name, value in alone.items():
        assert torch.equal(first[name], second[name]), name
        difference = (first[name] - value).norm() / value.norm().clamp_min(1e-30)
        assert difference <= tolerance, f"{name}: {difference}"


def test_batch_statistics_are_shared_by_the_ranks(tmp_path: Path) -> None:
    first, second = train(tmp_path / "two", 2, norm="batch")
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
