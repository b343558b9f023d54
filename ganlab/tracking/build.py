"""The trackers of a run, as its spec asks for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ganlab.spec.model import Spec
from ganlab.spec.tracking_sections import TrackioSection, WandbSection
from ganlab.tracking.jsonl import JsonlTracker
from ganlab.tracking.tensorboard import TensorBoardTracker
from ganlab.tracking.tracker import Tracker, warn
from ganlab.tracking.trackio import TrackioTracker
from ganlab.tracking.wandb import WandbTracker


def build_trackers(
    spec: Spec, run_path: Path, resumed_at: int | None = None, logged_until: int | None = None
) -> list[Tracker]:
    """All trackers of a run; for rank 0 only. `resumed_at` is the moment of the checkpoint that a run goes on from.

    A tracker that cannot start costs one warning. See `JsonlTracker` for `logged_until`.
    """
    trackers: list[Tracker] = [JsonlTracker(run_path, resumed_at, logged_until)]
    section = wandb_section(spec)
    if section is not None:
        _add(trackers, WandbTracker.name, lambda: WandbTracker(section, run_path, spec))
    if spec.tracking.trackio is not None:
        trackio: TrackioSection = spec.tracking.trackio
        _add(trackers, TrackioTracker.name, lambda: TrackioTracker(trackio, run_path, spec))
    if spec.tracking.tensorboard:
        _add(trackers, TensorBoardTracker.name, lambda: TensorBoardTracker(run_path, resumed_at))
    return trackers


def wandb_section(spec: Spec, environment: Mapping[str, str] = os.environ) -> WandbSection | None:
    """What a spec wants of W&B, if anything; a trial of W&B's agent is always online, as its search lives by it."""
    section = spec.tracking.wandb
    if environment.get("WANDB_SWEEP_ID"):
        return replace(section or WandbSection(), mode="online")
    return None if section is None or section.mode == "disabled" else section


def _add(trackers: list[Tracker], name: str, make: Callable[[], Tracker]) -> None:
    try:
        trackers.append(make())
    except (Exception, SystemExit) as error:  # whatever a tracker's package does, the run starts without it
        warn(f"{name} cannot start", "the run goes on without it", error)
