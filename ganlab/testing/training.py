"""Short trainings of example modules, through Lightning as in `ganlab train` but without a run folder."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import Trainer

from ganlab.data.loader import StepLoader
from ganlab.run.end_callback import EndCallback
from ganlab.testing.examples import ExampleData
from ganlab.training.module import GANModule

State = dict[str, torch.Tensor]


def train_steps(module: GANModule, steps: int, **trainer: Any) -> GANModule:
    """Go on training for some steps from where the module's clock stands."""
    batch_size, updates = module.step_size(module.clock.images_seen)
    loader = StepLoader(ExampleData(module.facts), step_size=module.step_size, seed=module.settings.seed)
    loader.restart(module.clock.position, module.clock.images_seen)
    options: dict[str, Any] = {
        "accelerator": "cpu",
        "devices": 1,
        "max_epochs": -1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "callbacks": [EndCallback(module.clock.images_seen + steps * batch_size * updates)],
    }
    Trainer(**(options | trainer)).fit(module, train_dataloaders=loader)
    return module


def state_of(module: GANModule) -> State:
    """A copy of all parameters and buffers."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def player_state(module: GANModule, player: str) -> State:
    """A copy of a player's trainable parameters."""
    named = module.players()[player].named_parameters()
    return {name: value.detach().clone() for name, value in named if value.requires_grad}


def differing(first: State, second: State) -> list[str]:
    """Names of the tensors that are not equal to the last bit."""
    return [name for name, value in first.items() if not torch.equal(value, second[name])]


def has_batch_statistics(module: torch.nn.Module) -> bool:
    """Whether a module's results depend on which examples share a batch.

    True for batch norm, and for modules that say so with `uses_batch_statistics = True`.
    """
    batch_norm = torch.nn.modules.batchnorm._BatchNorm
    return any(isinstance(m, batch_norm) or getattr(m, "uses_batch_statistics", False) for m in module.modules())
