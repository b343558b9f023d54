"""What all recipes have alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganlab.recipes import Task
from ganlab_recipes.rules import AUGMENTATION, BATCH, SAMPLES, choose


def adam(generator: float, discriminator: float) -> dict[str, Any]:
    """Adam without momentum for both players."""
    rates = {"generator": generator, "discriminator": discriminator}
    return {player: {"name": "adam", "lr": rate, "betas": [0.0, 0.99]} for player, rate in rates.items()}


def sections(
    task: Task, architecture: Mapping[str, Any], optimizers: Mapping[str, Any], *, wide: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """The sections around an architecture, and their reasons. `wide` networks gain from bfloat16."""
    batch, augmentation, samples = (choose(table, task) for table in (BATCH, AUGMENTATION, SAMPLES))
    game = dict(architecture)
    if "augmentation" not in game and augmentation.value is not None:
        game["augmentation"] = augmentation.value
    half = task.machine.fast_bf16 and (wide or task.machine.accelerated)
    tree = {
        "data": {"batch_size": batch.value},
        "architecture": game,
        "optimizers": optimizers,
        "ema": {"half_life_kimg": 10.0 if task.machine.accelerated else 5.0, "ramp_up": 0.05},
        "trainer": {"accelerator": "auto", "devices": 1, "precision": "bf16-mixed" if half else "32-true"},
        "evaluation": {"metrics": ["swd"], "samples": samples.value},
    }
    reasons = {
        "data.batch_size": batch.because,
        "optimizers": "No momentum, as in most published trainings with these penalties.",
        "ema": "Samples come from an average of the generator's weights, which is smoother than any of them.",
        "trainer.precision": _PRECISION[half],
        "evaluation.metrics": "Sliced Wasserstein distance: lower is better; it needs no downloaded network.",
        "evaluation.samples": samples.because,
    }
    if augmentation.value is not None or "augmentation" in architecture:
        reasons["architecture.augmentation"] = augmentation.because
    return tree, reasons


_PRECISION = {
    True: "bfloat16 in the networks: faster on this machine; losses and penalties stay in float32.",
    False: "float32: networks this narrow gain nothing from bfloat16, or this machine is no faster with it.",
}
