"""Trained generators by what a user calls them: a run, or a `generator.safetensors`, in a run's folder or alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab.builder import Builder
from ganlab.contracts import PlayerOptimizer
from ganlab.errors import RunError, UserError, reason
from ganlab.facts import DataFacts
from ganlab.randomness import derive_seed
from ganlab.run.folder import DEFAULT_RUNS, Run, open_run
from ganlab.spec import node_from
from ganlab.spec.model import Node
from ganlab.training.checkpoint import FORMAT, HEADER, read_generator
from ganlab.training.kept_measurements import KeptMeasurements
from ganlab.training.module import GANModule
from ganlab.training.settings import TrainingSettings

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class OpenedGenerator:
    """An architecture with the weights of a trained generator, in evaluation mode, and what was trained.

    `run` is None for a file that stands alone.
    """

    module: GANModule
    name: str
    architecture: Node
    run: Run | None = None

    def run_for(self, purpose: str) -> Run:
        """The run that it is of. Raises `RunError` that says what the run is needed for where there is none."""
        if self.run is None:
            raise RunError(f"{purpose} needs the run; this is the file of a generator outside of its run's folder")
        return self.run


def open_generator(
    reference: str | Path,
    device: torch.device | str = "cpu",
    checkpoint: str | Path | None = None,
    runs: Path = DEFAULT_RUNS,
) -> OpenedGenerator:
    """A run by its folder or name, with the weights of a checkpoint; or a `generator.safetensors`, which needs no run.

    Such a file may be given by its folder as well. In a run's folder it is opened with its run. One from before there
    were headers is only read there. Nothing that a file holds is run. Raises `RunError` for what is not there, is
    damaged or does not fit.
    """
    path = _lone_file(Path(reference).expanduser())
    if path.suffix != SUFFIX:
        run = open_run(reference, runs)
        return _of_run(run, run.load_module(device, checkpoint))
    if checkpoint is not None:
        raise RunError(f"'{path}' is one generator, with no other checkpoints; leave --checkpoint out or name the run")
    header, tensors = _read(path)
    run_around = Run(path.parent.resolve()) if (path.parent / "spec.yaml").is_file() else None
    if header is not None:
        opened = _from_header(path, header, run_around)
    elif run_around is not None:
        opened = _of_run(run_around, run_around.load_module())
    else:
        raise RunError(
            f"'{path}' has no header that tells its architecture: it was written by another program, or by an older "
            "ganlab, whose files are read in the folder of their run only"
        )
    _put(path, tensors, opened.module)
    opened.module.to(device).eval()
    if run_around is not None:
        opened.module.kept_measurements = KeptMeasurements(run_around.path / "measured")
    return opened


def _lone_file(path: Path) -> Path:
    """The generator's file in a folder that is no run, such as one of `ganlab import`; else the path as it is."""
    file = path / f"generator{SUFFIX}"
    return file if file.is_file() and not (path / "spec.yaml").exists() else path


def _of_run(run: Run, module: GANModule) -> OpenedGenerator:
    module.kept_measurements = KeptMeasurements(run.path / "measured")
    return OpenedGenerator(module, run.path.parent.name, run.spec.architecture, run)


def _read(path: Path) -> tuple[Mapping[str, Any] | None, dict[str, Tensor]]:
    """The header's record, if there is one, and all tensors."""
    metadata, tensors = read_generator(path)
    text = metadata.get(HEADER)
    try:
        header = None if text is None else json.loads(text)
    except ValueError as error:
        raise RunError(f"'{path}' cannot be read as a generator: {reason(error)}") from error
    if header is not None and (not isinstance(header, Mapping) or header.get("format") != FORMAT):
        raise RunError(f"'{path}' is no generator of this version of ganlab (format {FORMAT})")
    return header, tensors


def _from_header(path: Path, header: Mapping[str, Any], run: Run | None) -> OpenedGenerator:
    """The architecture of a header, at the header's moment of the training, still without the file's weights."""
    try:
        with nullcontext() if run is None else run.where_it_started():
            node = node_from("architectures", header["architecture"])
            module = build_sampler(
                node, DataFacts.from_record(header["facts"]), int(header["seed"]), header["averaged"], header
            )
        module.clock.load_state_dict(header["clock"])
        name = str(header["name"])
    except UserError as error:
        raise RunError(f"the architecture of '{path}' cannot be built here: {error}{_made_with(header)}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"the header of '{path}' is damaged: {type(error).__name__}: {reason(error)}") from error
    return OpenedGenerator(module, name, node, run)


def build_sampler(
    node: Node, facts: DataFacts, seed: int, averaged: bool, made_from: Mapping[str, Any] | None = None
) -> GANModule:
    """An architecture that is only to be sampled, without the optimizers and settings of a training.

    `averaged` says whether the weights that it will get are averages; `made_from` is the record that its own file has.
    """
    torch.manual_seed(derive_seed(seed, "initialisation"))
    module: GANModule = Builder(facts).construct(node, "architecture")
    optimizers = {player: PlayerOptimizer(torch.optim.SGD) for player in module.players()}
    module.prepare(
        TrainingSettings(facts, optimizers, seed, half_life_kimg=0.0 if averaged else None, made_from=made_from or {})
    )
    return module


def _made_with(header: Mapping[str, Any]) -> str:
    plugins = header.get("plugins")
    made = sorted(set(map(str, plugins.values()))) if isinstance(plugins, Mapping) else []
    return f" (it was made with {', '.join(made)})" if made else ""


def _put(path: Path, tensors: Mapping[str, Tensor], module: GANModule) -> None:
    try:
        module.averages.copies.load_state_dict(dict(tensors))
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).strip().splitlines()]
        raise RunError(f"'{path}' does not hold the generator that belongs to it: {lines[-1]}") from error
