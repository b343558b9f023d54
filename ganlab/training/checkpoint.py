"""Checkpoint files: tensors and plain values only, written whole or not at all, with a checksum of each part."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

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
    """Put a checkpoint into a module; the optimizers' part waits until Lightning makes them.

    Raises `RunError` if it is of another module, or if a part of it is of another kind than a checkpoint's.
    """
    with _fitting():
        restore_networks(module, state)
        module.settings.guard.load_state_dict(state["guard"])
        module.scalars.load_state_dict(state.get("scalars", {}))
        for player, parameters in module.trainable.items():
            _check_optimizer(player, len(parameters), state["optimizers"][player])
        module.restore_optimizers(state["optimizers"])


def restore_networks(module: GANModule, state: dict[str, Any]) -> None:
    """Put a checkpoint's networks and averages into a module, and its moment. Raises `RunError` as `restore_module`."""
    with _fitting():
        module.load_state_dict(state["module"])
        module.ready_for = None  # other weights at a moment that may have been there before
        module.clock.load_state_dict(state["clock"])


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; a crash or a full disk leaves no partial file under its name.

    Raises `RunError` if it cannot be written.
    """
    with _writing(path):
        write_atomically(path, lambda temporary: _save(state, temporary))


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint without running any code that it might hold; every part is held against its checksum.

    Raises `RunError` if the file is missing, damaged, or of another kind or format.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            _check_parts(file)
            file.seek(0)
            state = torch.load(file, map_location=device, weights_only=True)
        _check_structure(state)
    except FileNotFoundError:
        raise RunError(f"there is no checkpoint {path}") from None
    except OSError as error:
        raise RunError(f"the checkpoint {path} cannot be read: {reason(error)}") from error
    except pickle.UnpicklingError as error:
        raise RunError(
            f"the checkpoint {path} is not read: it holds something else than tensors and plain values, which could "
            "run code"
        ) from error
    except Exception as error:  # what damaged and foreign files make of the readers is without limit
        why = str(error) if isinstance(error, _NoCheckpoint) else f"it is damaged ({reason(error)})"
        raise RunError(f"the checkpoint {path} cannot be read: {why}") from error
    return dict(state)


def export_generator(path: Path, module: GANModule) -> None:
    """Write the averaged generator as safetensors, one tensor per parameter and buffer, with a checksum of all.

    The header says of what the architecture can be built again, and when in the training this is
    (`ganlab.run.generator_file` reads it). Raises `RunError` if it cannot be written.
    """
    state = module.averages.copies.state_dict()
    # In the usual memory order, the only one that the format has.
    tensors = {name: value.cpu().clone(memory_format=torch.contiguous_format) for name, value in state.items()}
    header = {"format": "pt"}  # by which other programs know whose tensors these are
    if module.settings.made_from:
        record = {**module.settings.made_from, "format": FORMAT, "clock": module.clock.state_dict()}
        header[HEADER] = json.dumps(record)
    header["sha256"] = checksum(tensors, header)
    with _writing(path):
        write_atomically(path, lambda temporary: temporary.write_bytes(_in_order(save(tensors, header))))


def _in_order(content: bytes) -> bytes:
    """A safetensors file whose metadata stand in the order of their names, which the library draws by chance."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text = text.ljust(-(-len(text) // 8) * 8)
    return len(text).to_bytes(8, "little") + text + content[start:]


def read_generator(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The header and the tensors of an exported generator, held against their checksum if it has one.

    Raises `RunError` if the file is missing, damaged or of another kind.
    """
    try:
        with safe_open(path, "pt") as file:  # type: ignore[no-untyped-call]
            header: dict[str, str] = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise RunError(f"there is no file '{path}'") from None
    except Exception as error:  # damaged files raise errors of many kinds
        raise RunError(
            f"'{path}' cannot be read as a generator: it is damaged or no safetensors file ({reason(error)})"
        ) from error
    expected = header.pop("sha256", None)
    if expected not in (None, checksum(tensors, header)):
        raise RunError(f"'{path}' is damaged: it is not what was written (checksum)")
    return header, tensors


def checksum(tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> str:
    """SHA-256 of a header and of names, types, shapes and values of tensors."""
    digest = hashlib.sha256(json.dumps(dict(sorted(header.items()))).encode())
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


class _NoCheckpoint(ValueError):
    """Why a file is none, as a part of a sentence."""


def _check_parts(file: BinaryIO) -> None:
    """Hold every part against the checksum that torch writes and does not read."""
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise _NoCheckpoint("it is empty")
    if not zipfile.is_zipfile(file):
        raise _NoCheckpoint("it was cut off, or is no checkpoint at all")
    with zipfile.ZipFile(file) as archive:
        if any(part.compress_type != zipfile.ZIP_STORED or part.file_size > size for part in archive.infolist()):
            raise _NoCheckpoint("it is an archive of another kind")
        damaged = archive.testzip()
    if damaged is not None:
        raise _NoCheckpoint(f"it is damaged: its part '{damaged}' is not what was written (checksum)")


def _check_structure(state: Any) -> None:
    """Raise for what is no checkpoint, whatever else it is."""
    if not isinstance(state, dict) or not isinstance(state.get("format"), int) or state["format"] != FORMAT:
        raise _NoCheckpoint(f"it is no checkpoint of this version of ganlab (format {FORMAT})")
    for key in ("clock", "guard", "module", "optimizers"):
        if not isinstance(state.get(key), dict):
            raise _NoCheckpoint(f"its part '{key}' is {'missing' if key not in state else 'no mapping'}")


def _check_optimizer(player: str, count: int, state: Any) -> None:
    saved = sum(len(group["params"]) for group in state["param_groups"])
    if saved != count or not all(isinstance(values, dict) for values in state["state"].values()):
        raise ValueError(f"the optimizer of the {player} has {saved} parameters there, and {count} here")


@contextmanager
def _fitting() -> Iterator[None]:
    try:
        yield
    except RunError:
        raise
    except KeyError as error:
        raise RunError(f"'{error.args[0]}' is missing in it") from error
    except Exception as error:  # a part of any type may stand in the place of another
        raise RunError(_misfit(error)) from error


def _misfit(error: Exception) -> str:
    """The first of the differences that torch lists, instead of its headline."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[1] if isinstance(error, RuntimeError) and len(lines) > 1 else reason(error)
    return first if len(first) <= 200 else f"{first[:197]}..."


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
