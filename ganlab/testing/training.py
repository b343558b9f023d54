"""Short trainings of example modules, through Lightning as in `ganlab train` but without a run folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from pytorch_lightning import Trainer

from ganlab.data.loader import StepLoader
from ganlab.run.end_callback import EndCallback
from ganlab.testing.examples import ExampleData
from ganlab.training.checkpoint import module_state, restore_module
from ganlab.training.module import GANModule

State = dict[str, torch.Tensor]

NOT_SAVED = (
    "something of it is neither a parameter nor a buffer, and is lost when a run is resumed; state is a buffer of an "
    "nn.Module (averages are ganlab.nn.RunningMean)"
)


def train_steps(module: GANModule, steps: int, **trainer: Any) -> GANModule:
    """Go on training for some steps from where the module's clock stands."""
    batch_size, updates = module.step_size(module.clock.images_seen)
    loader = StepLoader(ExampleData(module.facts), step_size=module.step_size, seed=module.settings.seed)
    loader.resolution, loader.frames = module.step_resolution, module.step_frames
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


def plain_steps(module: GANModule, steps: int) -> GANModule:
    """Go on training for some steps as Lightning would, without its start, in the type of the module's parameters."""
    if not module.player_optimizers:
        module.configure_optimizers()
    loader = StepLoader(ExampleData(module.facts), step_size=module.step_size, seed=module.settings.seed)
    loader.resolution, loader.frames = module.step_resolution, module.step_frames
    loader.restart(module.clock.position, module.clock.images_seen)
    batches = iter(loader)
    with default_type(next(module.parameters()).dtype):
        for index in range(steps):
            module.training_step(next(batches).map(module.in_order), index)
    return module


@contextmanager
def default_type(dtype: torch.dtype) -> Iterator[None]:
    """Make another type of numbers the default for a while."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def resumed(module: GANModule, other: GANModule) -> GANModule:
    """A new module with all that a checkpoint of the first one holds."""
    file = io.BytesIO()
    torch.save(module_state(module), file)
    file.seek(0)
    restore_module(other, torch.load(file, weights_only=True))
    return other


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


def moves_with_passes(module: torch.nn.Module) -> bool:
    """Whether a normalization has statistics that each pass moves, as spectral norm's iterations do."""
    return any(getattr(part, "averaged_over_ranks", False) for part in module.modules())
