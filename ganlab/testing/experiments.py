"""Experiments built without data, time and memory, for tests of what a spec says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from ganlab.build import build_architecture, facts_of_data
from ganlab.facts import DataFacts
from ganlab.spec import Spec, read_spec
from ganlab.training.module import GANModule


class Experiment(NamedTuple):
    """A spec, the facts of its data, and its game on the meta device: networks of their real sizes without numbers."""

    spec: Spec
    facts: DataFacts
    module: GANModule


def build_experiment(path: str | Path, overrides: Sequence[str] = (), facts: DataFacts | None = None) -> Experiment:
    """Build the game of a spec's file on the meta device.

    Data that are not on this machine have the facts that the spec implies. Where it does not say enough for that, as of
    images whose `resolution` it leaves out, `AssertionError` is raised, unless `facts` are given.
    """
    spec = read_spec(path, list(overrides))
    found = facts_of_data(spec)[0] if facts is None else facts
    if found is None:
        raise AssertionError(f"{path}: without its data, the spec does not say what the networks are; give 'facts'")
    with torch.device("meta"):
        module, _ = build_architecture(spec, found)
    return Experiment(spec, found, module)


def parameter_count(network: nn.Module) -> int:
    """How many numbers the parameters of a network have, as papers count them."""
    return sum(parameter.numel() for parameter in network.parameters())
