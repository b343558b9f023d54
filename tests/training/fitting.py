"""Run a tiny module through Lightning as `ganlab train` does, without a run folder."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Trainer

from ganlab.data.loader import StepLoader
from ganlab.run.end_callback import EndCallback
from ganlab.training.module import GANModule
from tests.tiny import TinyData


def fit(module: GANModule, images: int, **trainer: Any) -> GANModule:
    """Train on TinyData until `images` reals were shown."""
    loader = trainer.pop("loader", None) or StepLoader(
        TinyData(), step_size=module.step_size, seed=module.settings.seed
    )
    loader.restart(module.clock.position, module.clock.images_seen)
    options = {"accelerator": "cpu", "devices": 1, "logger": False, "enable_checkpointing": False}
    options |= {"enable_progress_bar": False, "enable_model_summary": False, "max_epochs": -1}
    callbacks = [*trainer.pop("callbacks", []), EndCallback(images)]
    Trainer(**(options | {"callbacks": callbacks} | trainer)).fit(module, train_dataloaders=loader)
    return module
