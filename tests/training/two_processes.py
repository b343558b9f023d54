"""Started by torchrun from a test: trains a tiny module on every rank and writes what each ended with."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from ganlab.contracts import WeightedRegularizer
from ganlab.run.launch import detect_launch
from ganlab.spec.model import TrainerSection
from tests.tiny import tiny_gan, tiny_settings
from tests.training.fitting import fit
from tests.training.test_module import Counting


def main(folder: Path, precision: str, batch_norm: bool) -> None:
    lazy = WeightedRegularizer("lazy", Counting(), weight=0.5, every=2)
    module = tiny_gan(tiny_settings(), [lazy], batch_norm=batch_norm, discriminator_steps=2)
    launch = detect_launch(TrainerSection())
    fit(module, 80, precision=precision, **launch.trainer_arguments())
    torch.save(module.state_dict(), folder / f"rank{module.global_rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "batch")
