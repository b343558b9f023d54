"""Sweeps with results, as workers leave them, without a training."""

from __future__ import annotations

import math
from pathlib import Path

from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.opening import begin_study
from tests.studies.made import make_run
from tests.sweeps.files import sweep_file

SEARCH = """\
name: losses
method: random
run_cap: {runs}
description: Which loss, and how fast?
early_terminate: {{type: hyperband, min_iter: 2, eta: 2}}
parameters:
  architecture.loss: {{values: [hinge, non_saturating, <b>wasserstein</b>]}}
  optimizers.generator.lr: {{distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-2}}
  data.batch_size: {{values: [32, 64]}}
  seed: {{values: [0, 1]}}
"""


def make_sweep(root: Path, runs: int = 24, *, pictures: bool = True) -> Path:
    """A sweep of so many trials whose target is lowest for hinge and a learning rate of 1e-3; returns its folder.

    Each third configuration was stopped early, and the last trial failed.
    """
    folder = root / "sweeps" / "losses"
    root.mkdir(parents=True, exist_ok=True)
    sweep = sweep_file(root, SEARCH.format(runs=runs))
    record = {
        "name": "losses",
        "storage": None,
        "working_directory": ".",
        "search_seed": 0,
        "specs": {"spec.yaml": "x"},
    }
    study = begin_study(SweepFolder(folder), sweep, record, None, 100.0)
    for number in range(runs):
        claim = study.claim()
        if number == runs - 1:
            study.finish(claim, "failed", None, "exit code 1: the gradient is not finite", 3.0)
            continue
        stopped = number // 2 % 3 == 2
        curve = _curve(claim.parameters, claim.seed, 4 if stopped else 10)
        study.report(claim, curve)
        words = ("stopped early", "worse than half of the trials at iteration 4") if stopped else ("finished", None)
        study.finish(claim, words[0], min(value for _, value in curve), words[1], 60.0 + number)
        if pictures and number < 22:
            make_run(folder / "trials" / f"{number:04d}", name="quickstart", seed=claim.seed, pictures=True)
    return folder


def _curve(parameters: dict, seed: int, length: int) -> list[tuple[int, float]]:
    """A target that falls to what the parameters allow."""
    floor = {"hinge": 1.0, "non_saturating": 2.0}.get(parameters["architecture.loss"], 3.0)
    floor += abs(math.log10(parameters["optimizers.generator.lr"]) + 3) + 0.05 * seed
    return [(2000 * k, floor + 8.0 / k) for k in range(1, length + 1)]
