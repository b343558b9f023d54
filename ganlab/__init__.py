"""ganlab: GAN experiments as one YAML file, with every part a plugin."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganlab.contracts import (
        Batch,
        Examples,
        Factory,
        Preset,
        Views,
        WeightedRegularizer,
        WithEncoder,
        WithMotion,
        WithStyles,
    )
    from ganlab.errors import UserError
    from ganlab.evaluation.trained_generator import TrainedGenerator
    from ganlab.exchange.experiment import check, train
    from ganlab.exchange.load import load
    from ganlab.facts import DataFacts, InputFacts, MapTable
    from ganlab.games.two_player import TwoPlayerGAN
    from ganlab.randomness import Randomness
    from ganlab.schedules import Schedule, Scheduled
    from ganlab.studies.metrics_table import read_metrics
    from ganlab.training.module import GANModule
    from ganlab.views import Fakes, Latents, Scores

__version__ = "0.1.0"

_PUBLIC = {
    "Batch": "ganlab.contracts",
    "DataFacts": "ganlab.facts",
    "Examples": "ganlab.contracts",
    "Factory": "ganlab.contracts",
    "Fakes": "ganlab.views",
    "GANModule": "ganlab.training.module",
    "InputFacts": "ganlab.facts",
    "Latents": "ganlab.views",
    "MapTable": "ganlab.facts",
    "Preset": "ganlab.contracts",
    "Randomness": "ganlab.randomness",
    "Schedule": "ganlab.schedules",
    "Scheduled": "ganlab.schedules",
    "Scores": "ganlab.views",
    "TrainedGenerator": "ganlab.evaluation.trained_generator",
    "TwoPlayerGAN": "ganlab.games.two_player",
    "UserError": "ganlab.errors",
    "Views": "ganlab.contracts",
    "WeightedRegularizer": "ganlab.contracts",
    "WithEncoder": "ganlab.contracts",
    "WithMotion": "ganlab.contracts",
    "WithStyles": "ganlab.contracts",
    "check": "ganlab.exchange.experiment",
    "load": "ganlab.exchange.load",
    "read_metrics": "ganlab.studies.metrics_table",
    "train": "ganlab.exchange.experiment",
}
__all__ = [
    "Batch",
    "DataFacts",
    "Examples",
    "Factory",
    "Fakes",
    "GANModule",
    "InputFacts",
    "Latents",
    "MapTable",
    "Preset",
    "Randomness",
    "Schedule",
    "Scheduled",
    "Scores",
    "TrainedGenerator",
    "TwoPlayerGAN",
    "UserError",
    "Views",
    "WeightedRegularizer",
    "WithEncoder",
    "WithMotion",
    "WithStyles",
    "check",
    "load",
    "read_metrics",
    "train",
]


def __getattr__(name: str) -> Any:
    # Lazy, so that `ganlab --help` and spec errors answer without importing torch.
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ganlab' has no attribute '{name}'")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
