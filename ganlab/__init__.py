"""ganlab: GAN experiments as one YAML file, with every part a plugin."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Batch": "ganlab.contracts",
    "DataFacts": "ganlab.facts",
    "GANModule": "ganlab.training.module",
    "Preset": "ganlab.contracts",
    "Randomness": "ganlab.randomness",
    "Schedule": "ganlab.schedules",
    "Scheduled": "ganlab.schedules",
    "TwoPlayerGAN": "ganlab.games.two_player",
    "UserError": "ganlab.errors",
    "Views": "ganlab.contracts",
    "WeightedRegularizer": "ganlab.contracts",
}
__all__ = sorted(_PUBLIC)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    # Lazy, so that `ganlab --help` and spec errors answer without importing torch.
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ganlab' has no attribute '{name}'")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
