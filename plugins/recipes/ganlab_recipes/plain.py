"""DCGAN with R1: fast, for short trainings and slow machines."""

from __future__ import annotations

from ganlab.recipes import Draft, Task
from ganlab_recipes.parts import adam, sections
from ganlab_recipes.rules import PLAIN_RANK, PLAIN_WIDTH, R1_WEIGHT, choose

_EVERY = 8


def plain(task: Task) -> Draft | None:
    """DCGAN, the non-saturating loss, R1 and ADA."""
    rank, width, weight = choose(PLAIN_RANK, task), choose(PLAIN_WIDTH, task), choose(R1_WEIGHT, task)
    if rank.value < 0:
        return None
    architecture = {
        "name": "dcgan",
        "generator": {"name": "dcgan", "latent_size": 64, "width": width.value},
        "discriminator": {"name": "dcgan", "width": width.value, "normalizer": "none"},
        "loss": "non_saturating",
        "regularizers": [{"name": "r1", "weight": weight.value, "every": _EVERY}],
    }
    tree, reasons = sections(task, architecture, adam(1e-3, 1e-3), wide=False)
    reasons |= {
        "architecture.generator.width": width.because,
        "architecture.discriminator.normalizer": "Batch norm would mix the images of a batch under the penalty.",
        "architecture.regularizers.0.weight": weight.because,
        "architecture.regularizers.0.every": "Lazily: in every 8th update, and 8 times as strong there.",
    }
    return Draft(rank.value, rank.because, tree, reasons)
