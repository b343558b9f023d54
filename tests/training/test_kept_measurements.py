from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlab.training.kept_measurements import KeptMeasurements
from tests.tiny import tiny_gan


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


@pytest.fixture
def counted():
    """What measures, and how often it was called."""
    calls = []

    def measure():
        calls.append(None)
        return {"mean": torch.arange(6.0).view(2, 3).T}

    return measure, calls


def test_another_process_finds_what_was_measured_of_the_same_weights(tmp_path, network, counted) -> None:
    measure, calls = counted
    first = KeptMeasurements(tmp_path / "kept").find(network, "this", measure)
    again = KeptMeasurements(tmp_path / "kept").find(network, "this", measure)
    assert len(calls) == 1
    assert torch.equal(first["mean"], again["mean"])


def test_other_weights_buffers_or_options_are_measured_anew(tmp_path, network, counted) -> None:
    measure, calls = counted
    kept = KeptMeasurements(tmp_path / "kept")
    kept.find(network, "this", measure)
    kept.find(network, "that", measure)
    with torch.no_grad():
        network[0].bias[0] += 1e-6
    kept.find(network, "this", measure)
    network[1].num_batches_tracked += 1
    kept.find(network, "this", measure)
    assert len(calls) == 4
    assert len(list((tmp_path / "kept").iterdir())) == 4


def test_a_damaged_file_and_a_folder_that_cannot_be_written_cost_a_measurement(tmp_path, network, counted) -> None:
    measure, calls = counted
    kept = KeptMeasurements(tmp_path / "kept")
    kept.find(network, "this", measure)
    (path,) = (tmp_path / "kept").iterdir()
    path.write_bytes(path.read_bytes()[:20])
    assert torch.equal(kept.find(network, "this", measure)["mean"], measure()["mean"])
    (tmp_path / "file").write_text("")
    KeptMeasurements(tmp_path / "file").find(network, "this", measure)
    assert len(calls) == 4


def test_a_module_in_training_keeps_nothing(network, counted) -> None:
    measure, calls = counted
    module = tiny_gan()
    module.measured(network, "this", measure)
    module.measured(network, "this", measure)
    assert len(calls) == 2
