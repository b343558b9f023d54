from __future__ import annotations

import pytest

from ganlab.sweeps.devices import cores, environment_for, share_of, visible_devices


@pytest.mark.parametrize(
    ("devices", "workers", "shares"),
    [
        ("", 2, [[], []]),
        ("0", 2, [["0"], ["0"]]),
        ("0,1", 2, [["0"], ["1"]]),
        ("0,1,2,3", 2, [["0", "1"], ["2", "3"]]),
        ("0,1,2", 2, [["0"], ["1"]]),
        ("4,5", 3, [["4"], ["5"], ["4"]]),
    ],
)
def test_devices_are_shared_out(monkeypatch, devices: str, workers: int, shares: list[list[str]]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    found = visible_devices()
    assert [share_of(found, worker, workers) for worker in range(workers)] == shares


def test_trials_get_a_share_of_the_cores_unless_the_user_says_how_many(monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert environment_for([], 0, 1) == {"OMP_NUM_THREADS": str(cores())}
    assert environment_for(["7"], 0, 10**6) == {"CUDA_VISIBLE_DEVICES": "7", "OMP_NUM_THREADS": "1"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment_for([], 0, 2) == {}
