"""The part of a spec that says where numbers go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, MinLen


@dataclass(frozen=True)
class WandbSection:
    """Weights & Biases; decided before the first contact and never able to end a run.

    Args:
        mode: offline writes a folder to synchronise later; nothing is sent.
        project: where runs are listed.
        entity: the team or user that owns the project; null for your own.
        group: what runs are grouped by; null for the sweep's name, or else the experiment's.
        tags: words to find the run by, besides architecture, data, resolution, loss and seed.
        models: keep the last and the best checkpoint as versions of an artifact.
    """

    mode: Literal["offline", "online", "disabled"] = "offline"
    project: Annotated[str, MinLen(1)] = "ganlab"
    entity: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    models: bool = True


@dataclass(frozen=True)
class TrackioSection:
    """Trackio, which keeps runs on this machine and shows them by `trackio show`; nothing is sent.

    Args:
        project: where runs are listed.
        group: what runs are grouped by; null for the sweep's name, or else the experiment's.
    """

    project: Annotated[str, MinLen(1)] = "ganlab"
    group: str | None = None


@dataclass(frozen=True)
class TrackingSection:
    """Where numbers go besides `log.jsonl` and `metrics.jsonl`.

    Args:
        every_kimg: thousands of images between two lines of the log.
        wandb: Weights & Biases; null for none.
        tensorboard: write TensorBoard's files as well.
        trackio: Trackio; null for none.
        progress: show a progress bar.
    """

    every_kimg: Annotated[float, Gt(0)] = 1.0
    wandb: WandbSection | None = None
    tensorboard: bool = False
    trackio: TrackioSection | None = None
    progress: bool = True
