"""Objectives that use the mean of a batch: half of it on each of two ranks gives what one process gives."""

import os
import subprocess
import sys
from pathlib import Path

import torch

SCRIPT = Path(__file__).with_name("two_ranks.py")


def test_gradients_and_memories_of_two_ranks_are_those_of_one_process(tmp_path):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    commands = [[sys.executable, str(SCRIPT), str(tmp_path), str(place)] for place in range(2)]
    processes = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for command in commands]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors.decode()[-4000:]
    first, second = (torch.load(tmp_path / f"{place}.pt", weights_only=True) for place in range(2))
    for player, tensors in first["alone"].items():
        for name, value in tensors.items():
            shared = first["shared"][player][name]
            assert torch.equal(shared, second["shared"][player][name]), name
            torch.testing.assert_close(shared, value, rtol=1e-7, atol=1e-10, msg=name)
        assert any(value.abs().max() > 0 for value in tensors.values())
        remembered = [value for name, value in tensors.items() if name.endswith("average.updates")]
        assert [value.item() for value in remembered] == [3] * {"discriminator": 2, "generator": 1}[player]
