"""`ganlab.load`: a trained generator from a run."""

from __future__ import annotations

from pathlib import Path

import torch

from ganlab.evaluation.sampling import choose_device
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.run.folder import DEFAULT_RUNS, open_run


def load(
    run: str | Path,
    *,
    checkpoint: str | Path | None = None,
    device: torch.device | str | None = None,
    runs: str | Path = DEFAULT_RUNS,
) -> TrainedGenerator:
    """The averaged generator of a run: its folder, or an experiment's name, of which it is the newest under `runs`.

    `checkpoint` is a checkpoint's file or its thousands of images, without it the newest; `device` the accelerator
    without it, if there is one. Needs no data. Raises `RunError` if there is no such run or it cannot be read.

        generator = ganlab.load("quickstart")
        images = generator.sample(16, seed=1, label="3")
    """
    opened = open_run(run, Path(runs))
    module = opened.load_module(device or choose_device(), checkpoint)
    return TrainedGenerator(module, opened.path.parent.name)
