"""Checkpoint files: tensors and plain values only, written whole or not at all."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from ganlab.errors import RunError, reason
from ganlab.files import write_atomically
from ganlab.training.module import GANModule

FORMAT = 1
HEADER = "ganlab"
"""The key of a generator's header under which the record stands."""


def module_state(module: GANModule) -> dict[str, Any]:
    """Everything that a run needs to go on exactly: networks, averages, optimizers, clock, guard, unlogged scalars."""
    return {
        "format": FORMAT,
        "clock": module.clock.state_dict(),
        "guard": module.settings.guard.state_dict(),
        "module": module.state_dict(),
        "scalars": module.scalars.state_dict(),
        "optimizers": {player: optimizer.state_dict() for player, optimizer in module.player_optimizers.items()},
    }


def restore_module(module: GANModule, state: dict[str, Any]) -> None:
    """Put a checkpoint into a module; the optimizers' part waits until Lightning makes them."""
    module.load_state_dict(state["module"])
    module.ready_for = None  # other weights at a moment that may have been there before
    module.clock.load_state_dict(state["clock"])
    module.settings.guard.load_state_dict(state["guard"])
    module.scalars.load_state_dict(state.get("scalars", {}))
    module.restore_optimizers(state["optimizers"])


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; a crash or a full disk leaves no partial file under its name.

    Raises `RunError` if it cannot be written.
    """
    with _writing(path):
        write_atomically(path, lambda temporary: _save(state, temporary))


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint without running any code that it might hold.

    Raises `RunError` if the file is missing, damaged, or of another format.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise RunError(f"there is no checkpoint {path}") from None
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise RunError(f"the checkpoint {path} cannot be read: {reason(error)}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise RunError(f"{path} is no checkpoint of this version of ganlab (format {FORMAT})")
    return state


def export_generator(path: Path, module: GANModule) -> None:
    """Write the averaged generator as safetensors, one tensor per parameter and buffer.

    The header says of what the architecture can be built again, and when in the training this is
    (`ganlab.run.generator_file` reads it). Raises `RunError` if it cannot be written.
    """
    state = module.averages.copies.state_dict()
    # In the usual memory order, the only one that the format has.
    tensors = {name: value.cpu().clone(memory_format=torch.contiguous_format) for name, value in state.items()}
    header = {"format": "pt"}  # by which other programs know whose tensors these are
    if module.settings.made_from:
        record = {"format": FORMAT, "clock": module.clock.state_dict(), **module.settings.made_from}
        header[HEADER] = json.dumps(record)
    with _writing(path):
        write_atomically(path, lambda temporary: temporary.write_bytes(save(tensors, header)))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"cannot write {path}: {reason(error)}; earlier checkpoints are untouched") from error


def _save(state: dict[str, Any], path: Path) -> None:
    """Through a file of Python's, so that a full disk is an `OSError`: torch's own has no reason in its message."""
    try:
        with path.open("wb") as file:
            torch.save(state, file)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise
