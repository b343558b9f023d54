"""One process with the whole batch against two with half of it each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlab.testing.two_ranks import run_on_two_ranks
from tests.training.two_processes import save_trained, trained


def both_ranks(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    first, second = (torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(2))
    return first, second


@pytest.mark.parametrize(("precision", "tolerance"), [("32-true", 1e-5), ("64-true", 1e-12)])
def test_two_processes_give_the_parameters_of_one(tmp_path: Path, precision: str, tolerance: float) -> None:
    alone = trained(precision).state_dict()
    run_on_two_ranks(save_trained, tmp_path, precision)
    first, second = both_ranks(tmp_path)
    for name, value in alone.items():
        assert torch.equal(first[name], second[name]), name
        difference = (first[name] - value).norm() / value.norm().clamp_min(1e-30)
        assert difference <= tolerance, f"{name}: {difference}"


def test_batch_statistics_are_shared_by_the_ranks(tmp_path: Path) -> None:
    run_on_two_ranks(save_trained, tmp_path, "32-true", True)
    first, second = both_ranks(tmp_path)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
