"""StyleGAN2: the choice wherever there is an accelerator."""

from __future__ import annotations

from typing import Any

from ganlab.recipes import Draft, Task
from ganlab_recipes.parts import adam, sections
from ganlab_recipes.rules import R1_WEIGHT, STYLES_CHANNELS, STYLES_RANK, choose

_EVERY = 16


def styles(task: Task) -> Draft | None:
    """StyleGAN2, the non-saturating loss, lazy R1 and ADA."""
    rank, channels, weight = choose(STYLES_RANK, task), choose(STYLES_CHANNELS, task), choose(R1_WEIGHT, task)
    times, most = channels.value
    small = most < 256
    networks: dict[str, Any] = {"name": "stylegan2", "channel_base": times * task.side, "channel_max": most}
    latents = {"latent_size": most, "style_size": most}
    architecture = {
        "name": "style",
        "generator": {**networks, **latents, "mapping_layers": 2 if small else 8},
        "discriminator": {**networks, "mapping_layers": 2} if small and task.classes else networks,
        "loss": "non_saturating",
        "regularizers": [{"name": "r1", "weight": weight.value, "every": _EVERY}],
    }
    rate = 2.5e-3 if task.side <= 128 else 2e-3
    tree, reasons = sections(task, architecture, adam(rate, rate), wide=most >= 128)
    reasons |= {
        "architecture.generator.channel_base": channels.because,
        "architecture.generator.mapping_layers": "Two do for few pictures and short trainings; 8 are published.",
        "architecture.regularizers.0.weight": weight.because,
        "architecture.regularizers.0.every": "Lazily: in every 16th update, and 16 times as strong there.",
    }
    if not small:
        reasons["architecture.generator.mapping_layers"] = "As published."
    return Draft(rank.value, rank.because, tree, reasons)
