"""Generators of other programs become files of this one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganlab.builder import Builder
from ganlab.errors import RunError, UserError
from ganlab.exchange.foreign_files import read_foreign
from ganlab.foreign import NAN, ForeignGenerator, Format
from ganlab.run.generator_file import SUFFIX, build_sampler
from ganlab.spec import node_from
from ganlab.spec.model import Node
from ganlab.spec.record import versions_of
from ganlab.spec.render import plain
from ganlab.training.checkpoint import export_generator
from ganlab.training.module import GANModule

_SHOWN = 3


@dataclass(frozen=True)
class Imported:
    """The file of a generator that was imported, its module, and what is not the same as where it came from."""

    path: Path
    module: GANModule
    remarks: Sequence[str]


def import_generator(source: Path, format_node: Any, out: Path) -> Imported:
    """Translate a checkpoint of another program into a `generator.safetensors`, in the folder `out` or as that file.

    `format_node` is the name of a format, its node with options, or such a node that was checked. No code of the
    checkpoint is run, and the weights have to fit exactly: each tensor of the file is used, and each of the
    generator's is set. Raises `UserError` for all that does not fit.
    """
    node = format_node if isinstance(format_node, Node) else node_from("formats", format_node)
    translator: Format = Builder(None).construct(node, "--format")
    foreign = translator.read(read_foreign(source, translator.records))
    path = out if out.suffix == SUFFIX else out / f"generator{SUFFIX}"
    module = build_foreign(foreign, source.stem, _checksum(source), node)
    export_generator(path, module)
    return Imported(path, module, foreign.remarks)


def build_foreign(foreign: ForeignGenerator, name: str, checksum: str, node: Node) -> GANModule:
    """The architecture of a generator of another program, with its weights. Raises `RunError` unless all fit."""
    architecture = node_from("architectures", foreign.architecture)
    facts = replace(foreign.facts, fingerprint=f"imported {checksum[:16]}")
    record = {
        "name": name,
        "seed": 0,
        "architecture": plain(architecture),
        "facts": facts.to_record(),
        "averaged": True,
        "packages": {package: version(package) for package in ("ganlab", "torch")},
        "plugins": versions_of(architecture),
        "imported": {"format": plain(node), "sha256": checksum},
    }
    module = build_sampler(architecture, facts, 0, averaged=True, made_from=record).eval()
    generator = module.averages.copies["generator"]
    _empty(generator)
    foreign.fill(generator)
    if left := foreign.tensors.left():
        raise RunError(f"the generator here has no place for {_listed(left)} of the file")
    if missing := [name for name, value in generator.state_dict().items() if _is_empty(value)]:
        raise RunError(f"the file has nothing for {_listed(missing)} of the generator here")
    return module


@torch.no_grad()
def _empty(generator: nn.Module) -> None:
    """Mark everything that has to be set."""
    for value in generator.state_dict().values():
        if value.is_floating_point():
            value.fill_(NAN)


def _is_empty(value: torch.Tensor) -> bool:
    return value.is_floating_point() and bool(value.isnan().any())


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more tensors" if len(names) > _SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + more


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from error
