"""What a run is called where many runs are listed: its id, group, job type and tags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab.spec.model import Node, Spec

SWEEP, TRIAL = "GANLAB_SWEEP", "GANLAB_TRIAL"
"""Environment variables by which a sweep tells a run what it is part of: a name, and a number."""

_TAG_LENGTH = 64  # W&B refuses longer ones


@dataclass(frozen=True)
class Identity:
    """A run among others; `id` is also its name, and the same whenever the run goes on."""

    id: str
    group: str
    job_type: str
    tags: tuple[str, ...]


def identity_of(spec: Spec, run_path: Path, group: str | None, environment: Mapping[str, str] = os.environ) -> Identity:
    """What a run is called; `group` goes before the sweep's name, and that before the experiment's."""
    sweep, trial = environment.get(SWEEP), environment.get(TRIAL)
    parts = [sweep, f"{int(trial):04d}" if trial else None, run_path.parent.name, run_path.name]
    hosted = environment.get("WANDB_SWEEP_ID")  # set by W&B's agents
    return Identity(
        id=re.sub(r"[^\w.-]", "_", "-".join(filter(None, parts)), flags=re.ASCII),
        group=group or sweep or hosted or run_path.parent.name,
        job_type="sweep" if sweep or hosted else "train",
        tags=tags_of(spec),
    )


def tags_of(spec: Spec) -> tuple[str, ...]:
    """Architecture, data, resolution, loss and seed, as far as a spec has them, as words to find a run by."""
    options = spec.architecture.options
    loss = options.get("loss")
    resolution = spec.data.options.get("resolution")
    tags: list[Any] = [
        spec.architecture.name,
        spec.data.name,
        f"{resolution}px" if isinstance(resolution, int) else resolution,
        loss.name if isinstance(loss, Node) else loss,
        f"seed-{spec.seed}",
    ]
    return tuple(dict.fromkeys(str(tag)[:_TAG_LENGTH] for tag in tags if tag is not None))
