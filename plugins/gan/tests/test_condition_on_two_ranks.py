"""A training with a condition is the same on two processes as on one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ganlab_gan.architecture import GAN
from ganlab_gan.discriminator import MLPDiscriminator
from ganlab_gan.generator import MLPGenerator
from ganlab_objectives.non_saturating import NonSaturating

from ganlab import DataFacts, InputFacts
from ganlab.run.launch import detect_launch
from ganlab.spec.model import TrainerSection
from ganlab.testing.examples import example_settings
from ganlab.testing.training import differing, state_of, train_steps
from ganlab.testing.two_ranks import run_on_two_ranks

FACTS = DataFacts((4,), 24, "conditioned", value_range=(-1.0, 1.0), inputs={"tags": InputFacts((3,))})


def trained(**arguments):
    torch.manual_seed(0)
    options = {"condition": "tags", "inputs": FACTS.inputs, "branches": (4, 4), "hidden": [6]}
    networks = MLPGenerator(FACTS.shape, latent_size=3, **options), MLPDiscriminator(FACTS.shape, **options)
    module = GAN(*networks, loss=NonSaturating())
    module.prepare(example_settings(module, FACTS))
    return state_of(train_steps(module, 3, precision="64-true", **arguments))


def save_trained_state(rank: int, folder: Path) -> None:
    arguments = detect_launch(TrainerSection(accelerator="cpu")).trainer_arguments()
    torch.save(trained(**arguments), folder / f"{rank}.pt")


@pytest.mark.slow  # the conformance kit sees the game without a condition
def test_two_processes_leave_what_one_leaves(tmp_path):
    run_on_two_ranks(save_trained_state, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert not differing(first, second)
    torch.testing.assert_close(first, trained(), rtol=1e-6, atol=1e-9)
