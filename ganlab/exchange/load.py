"""`ganlab.load`: a trained generator from a run or a file."""

from __future__ import annotations

from pathlib import Path

import torch

from ganlab.evaluation.sampling import choose_device
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.run.folder import DEFAULT_RUNS
from ganlab.run.generator_file import open_generator


def load(
    run: str | Path,
    *,
    checkpoint: str | Path | None = None,
    device: torch.device | str | None = None,
    runs: str | Path = DEFAULT_RUNS,
) -> TrainedGenerator:
    """The averaged generator of a run, by its folder or an experiment's name, of which it is the newest under `runs`.

    A `generator.safetensors` stands alone: it may lie anywhere, and needs no run. `checkpoint` is a checkpoint's file,
    its thousands of images or `best`, without it the newest; `device` the accelerator without it, if there is one.
    Needs no data. Raises `RunError` if there is no such run or file or it cannot be read.

        generator = ganlab.load("quickstart")
        images = generator.sample(16, seed=1, label="3")
    """
    opened = open_generator(run, device or choose_device(), checkpoint, Path(runs))
    return TrainedGenerator(opened.module, opened.name)
