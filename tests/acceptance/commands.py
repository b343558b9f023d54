"""Run `ganlab` as a user does, in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"}
GANLAB = [sys.executable, "-m", "ganlab"]
PATIENCE = 240  # seconds: what takes longer hangs, however busy the machine is


def dcgan_spec(**changes: Any) -> dict[str, Any]:
    """A convolutional GAN on digits, as small as it gets, with lazy penalties, spectral norm and labels."""
    optimizer = {"name": "adam", "lr": 2e-4, "betas": [0.0, 0.99]}
    spec: dict[str, Any] = {
        "name": "small",
        "kimg": 3,
        "data": {"name": "digits", "resolution": 16, "batch_size": 32},
        "architecture": {
            "name": "dcgan",
            "generator": {"name": "dcgan", "latent_size": 8, "width": 4},
            "discriminator": {"name": "dcgan", "width": 4, "normalizer": "spectral"},
            "loss": "hinge",
            "regularizers": [{"name": "r1", "weight": 1.0, "every": 4}],
        },
        "optimizers": {"generator": optimizer, "discriminator": optimizer},
        "trainer": {"accelerator": "cpu"},
        "checkpoint": {"every_kimg": 0.5, "keep": 20},
        "snapshots": {"every_kimg": 1.0, "grid": [2, 5]},
        "diversity": {"every_kimg": 1.0},
    }
    return spec | changes


def gan_spec(**changes: Any) -> dict[str, Any]:
    """A multilayer perceptron with dropout on points of the plane, and a penalty that draws random numbers."""
    architecture = {
        "name": "gan",
        "generator": {"name": "mlp", "hidden": [8]},
        "discriminator": {"name": "mlp", "hidden": [8], "dropout": 0.1},
        "loss": "wgan_gp",
        "discriminator_steps": 2,
    }
    data = {"name": "gaussian_mixture", "size": 1000, "batch_size": 32}
    return dcgan_spec(data=data, architecture=architecture) | changes


def write_spec(folder: Path, spec: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def ganlab(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*GANLAB, *map(str, arguments)]
    return subprocess.run(command, env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=PATIENCE)


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [*GANLAB, *map(str, arguments)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def wait_until_caught(process: subprocess.Popen[str], number: int) -> None:
    """Wait until the program has taken a signal over from the interpreter, which a busy machine starts slowly."""

    def caught() -> bool:
        status = Path(f"/proc/{process.pid}/status").read_text()
        mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(mask, 16) >> (number - 1) & 1)

    wait_until(caught)


def run_folder(output: str) -> Path:
    return Path(output.strip().splitlines()[-1])


def differences(first: Any, second: Any, place: str = "") -> list[str]:
    """Places where two checkpoints are not equal to the last bit."""
    if isinstance(first, dict):
        assert first.keys() == second.keys(), place
        return [d for key in first for d in differences(first[key], second[key], f"{place}/{key}")]
    if isinstance(first, list | tuple):
        assert len(first) == len(second), place
        return [
            d for i, (a, b) in enumerate(zip(first, second, strict=True)) for d in differences(a, b, f"{place}/{i}")
        ]
    equal = torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second
    return [] if equal else [place]


def last_state(run: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return state
