"""DCGAN with spectral norm: no penalty, so that every update costs the same."""

from __future__ import annotations

from ganlab.recipes import Draft, Task
from ganlab_recipes.parts import adam, sections
from ganlab_recipes.rules import PLAIN_WIDTH, SPECTRAL_RANK, choose


def spectral(task: Task) -> Draft | None:
    """DCGAN, the hinge loss, spectral norm and DiffAugment."""
    rank, width = choose(SPECTRAL_RANK, task), choose(PLAIN_WIDTH, task)
    if rank.value < 0:
        return None
    architecture = {
        "name": "dcgan",
        "generator": {"name": "dcgan", "latent_size": 64, "width": width.value},
        "discriminator": {"name": "dcgan", "width": width.value, "normalizer": "spectral"},
        "loss": "hinge",
        "augmentation": "diffaugment",
    }
    tree, reasons = sections(task, architecture, adam(5e-4, 1e-3), wide=False)
    reasons |= {
        "architecture.generator.width": width.because,
        "architecture.discriminator.normalizer": "Bounds how fast the discriminator can change its mind.",
        "architecture.augmentation": "Colour, translation and cutout of all images: always at full strength.",
        "optimizers": "The discriminator learns twice as fast, as is usual with spectral norm.",
    }
    return Draft(rank.value, rank.because, tree, reasons)
