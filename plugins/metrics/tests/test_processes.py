"""SWD and MS-SSIM are the same numbers on any number of processes."""

import os
import subprocess
import sys
from pathlib import Path

import torch


def test_two_processes_measure_what_one_measures(tmp_path):
    script = str(Path(__file__).parent / "measure_in_processes.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for folder, command in (("one", [sys.executable]), ("two", launcher)):
        (tmp_path / folder).mkdir()
        arguments = [*command, script, str(tmp_path / folder)]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-3000:]
    alone = torch.load(tmp_path / "one" / "0.pt")
    assert alone.keys() == {"swd/32", "swd/16", "swd/average", "ms_ssim", "ms_ssim/reals"}
    assert torch.load(tmp_path / "two" / "0.pt") == torch.load(tmp_path / "two" / "1.pt") == alone
