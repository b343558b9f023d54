"""The frozen, checked spec: one dataclass a section. Imports nothing heavy: names are checked before torch is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, MinLen

from ganlab.schedules import Scheduled

Positive = Annotated[float, Gt(0)]
Count = Annotated[int, Ge(1)]
Natural = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class Node:
    """One plugin with its options.

    `options` holds every argument of the constructor that the spec sets, and those whose defaults a spec could
    have set: plain values, `Schedule`s, `Node`s and tuples or mappings of these. `name` is without the distribution,
    `distribution` is where the plugin was found.
    """

    kind: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    distribution: str = ""


@dataclass(frozen=True)
class RegularizerNode(Node):
    """A regularizer's node with the platform's keys: `weight`, and `every` so many updates of its player."""

    weight: Scheduled = 1.0
    every: Count = 1


@dataclass(frozen=True)
class OptimizerNode(Node):
    """An optimizer's node with the platform's keys; `clip` bounds the norm of the player's whole gradient."""

    clip: Positive | None = None


@dataclass(frozen=True)
class DataNode(Node):
    """The data set's node with the platform's keys.

    `batch_size` is the total over ranks and accumulation steps; `micro_batch` the images per device and pass;
    `workers` the loading processes of each rank; `flip` mirrors every other image, drawn anew each epoch.
    """

    batch_size: Count = 64
    micro_batch: Count | None = None
    workers: Natural = 0
    flip: bool = False


@dataclass(frozen=True)
class EMASection:
    """Moving average of the generator: half-life in kimg, at most `ramp_up` times the kimg seen (null: no ramp)."""

    half_life_kimg: Annotated[Scheduled, Gt(0)] = 10.0
    ramp_up: Positive | None = 0.05


@dataclass(frozen=True)
class TrainerSection:
    """What goes to Lightning's Trainer."""

    accelerator: str = "auto"
    devices: Count = 1
    num_nodes: Count = 1
    precision: Literal["32-true", "bf16-mixed", "64-true"] = "32-true"
    benchmark: bool | None = None
    deterministic: bool = False
    detect_anomaly: bool = False


@dataclass(frozen=True)
class CheckpointSection:
    """When checkpoints are written (by images, and by minutes if given) and how many of them are kept."""

    every_kimg: Positive = 20.0
    keep: Count = 2
    every_minutes: Positive | None = None


@dataclass(frozen=True)
class EvaluationSection:
    """Metrics on samples of the EMA generator."""

    metrics: tuple[Node, ...] = ()
    every_kimg: Positive = 50.0
    samples: Count = 10_000
    batch_size: Count = 64
    seed: Natural = 0


@dataclass(frozen=True)
class SnapshotSection:
    """Grids of samples (rows, columns), from the same latents every time."""

    every_kimg: Positive = 10.0
    grid: tuple[Count, Count] = (8, 8)
    seed: Natural = 0


@dataclass(frozen=True)
class WandbSection:
    """Weights & Biases; decided before the first contact and never able to end a run."""

    mode: Literal["offline", "online", "disabled"] = "offline"
    project: Annotated[str, MinLen(1)] = "ganlab"
    entity: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrackingSection:
    """Where numbers go besides `log.jsonl` and `metrics.jsonl`; a line of the log every `every_kimg`."""

    every_kimg: Positive = 1.0
    wandb: WandbSection | None = None
    tensorboard: bool = False
    progress: bool = True


@dataclass(frozen=True)
class GuardSection:
    """What to do about a non-finite gradient: `stop`, `skip` the update, or `rollback` to the last checkpoint.

    After `limit` skips in a row, or `limit` rollbacks, training stops all the same.
    """

    non_finite: Literal["stop", "skip", "rollback"] = "stop"
    limit: Count = 5


@dataclass(frozen=True)
class Spec:
    """One experiment. `kimg` is its length in thousands of real images shown to the discriminator."""

    name: Annotated[str, MinLen(1)]
    kimg: Positive
    data: DataNode
    architecture: Node
    optimizers: Mapping[str, OptimizerNode]
    seed: Natural = 0
    ema: EMASection | None = field(default_factory=EMASection)
    trainer: TrainerSection = field(default_factory=TrainerSection)
    checkpoint: CheckpointSection = field(default_factory=CheckpointSection)
    evaluation: EvaluationSection | None = None
    snapshots: SnapshotSection | None = field(default_factory=SnapshotSection)
    tracking: TrackingSection = field(default_factory=TrackingSection)
    guard: GuardSection = field(default_factory=GuardSection)

    @property
    def total_images(self) -> int:
        """Length in images."""
        return round(self.kimg * 1000)


def platform_keys(node: type[Node]) -> frozenset[str]:
    """The keys of a kind of node that belong to the platform and not to the plugin."""
    return frozenset(field.name for field in fields(node)) - {field.name for field in fields(Node)}
