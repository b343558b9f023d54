"""Trains a tiny module on every rank and writes what each ended with, or on one process and returns it."""

from __future__ import annotations

from pathlib import Path

import torch

from ganlab.contracts import WeightedRegularizer
from ganlab.run.launch import detect_launch
from ganlab.spec.model import TrainerSection
from ganlab.training.module import GANModule
from tests.tiny import tiny_gan, tiny_settings
from tests.training.fitting import fit
from tests.training.test_module import Counting


def trained(precision: str, batch_norm: bool = False) -> GANModule:
    """A module after 80 images, on as many processes as this one belongs to."""
    lazy = WeightedRegularizer("lazy", Counting(), weight=0.5, every=2)
    module = tiny_gan(tiny_settings(), [lazy], batch_norm=batch_norm, discriminator_steps=2)
    launch = detect_launch(TrainerSection())
    fit(module, 80, precision=precision, **launch.trainer_arguments())
    return module


def save_trained(rank: int, folder: Path, precision: str, batch_norm: bool = False) -> None:
    """One rank's part."""
    torch.save(trained(precision, batch_norm).state_dict(), folder / f"rank{rank}.pt")
