"""The frozen, checked spec: one dataclass a section. Imports nothing heavy, as names are checked before torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen

from ganlab.bounds import Count, LongSeed, Positive, Weight
from ganlab.schedules import Schedule, Scheduled
from ganlab.spec.tracking_sections import TrackingSection

Images = Annotated[int, Ge(1), Le(1_000_000)]
GridSide = Annotated[int, Ge(1), Le(1000)]
Processes = Annotated[int, Ge(1), Le(100_000)]


@dataclass(frozen=True)
class Instead:
    """Marks an option with a value that people try and that is not allowed, and what to do instead, as a sentence."""

    value: str
    advice: str


_NO_FLOAT16 = Instead(
    "16-mixed",
    "take bf16-mixed: bfloat16 has the range of float32, while float16 needs its losses scaled, which would let each "
    "player's gradients overflow by itself",
)


@dataclass(frozen=True)
class Node:
    """One plugin with its options.

    `options` holds every argument of the constructor that the spec sets, and those whose defaults a spec could
    have set: plain values, `Schedule`s, `Node`s and tuples or mappings of these. `name` is without the distribution,
    `distribution` is where the plugin was found. A `repeatable` node stands for a factory, which builds an instance
    whenever it is called.
    """

    yields: ClassVar[frozenset[str]] = frozenset()
    """Keys of the platform that are not the platform's where the plugin has an option of the name."""

    kind: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    distribution: str = ""
    repeatable: bool = False


@dataclass(frozen=True)
class RegularizerNode(Node):
    """A regularizer's node with the platform's keys.

    Args:
        weight: Factor of the penalty.
        every: Interval in updates of its player; the platform scales the penalty by it.
        alias: Name of its term in the log; null for the plugin's name, with a number where it stands again.
    """

    weight: Weight = 1.0
    every: Count = 1
    alias: str | None = None


@dataclass(frozen=True)
class MetricNode(Node):
    """A metric's node with the platform's keys.

    Args:
        alias: Name of its numbers in the log; null for the plugin's name, with a number where it stands again.
    """

    alias: str | None = None


@dataclass(frozen=True)
class OptimizerNode(Node):
    """An optimizer's node with the platform's keys.

    Args:
        clip: largest norm of the player's whole gradient; null for no clipping.
    """

    clip: Positive | None = None


@dataclass(frozen=True)
class DataNode(Node):
    """The data set's node with the platform's keys.

    Args:
        batch_size: total over ranks and accumulation steps.
        micro_batch: images per device and pass; null for all at once.
        workers: loading processes of each rank.
        flip: mirror every other image, drawn anew each epoch.
        jitter: enlarge images, and what belongs to them, until their larger side has so many pixels, and cut them to
            their own size at a place drawn anew each epoch; null for none.
        cache: folder in which images are kept as they are shown, so that no file is decoded twice, and at
            lower resolutions for networks that grow; null for none.
        labels: false hides the classes from everything; a data set's own option of this name goes first.
        holdout: share of the examples that training never sees, for metrics and pictures.
        holdout_seed: chooses them, with the data's fingerprint; the same in runs that are to be compared.
    """

    yields: ClassVar[frozenset[str]] = frozenset({"labels"})

    batch_size: Images = 64
    micro_batch: Images | None = None
    workers: Annotated[int, Ge(0), Le(1000)] = 0
    flip: bool = False
    jitter: Images | None = None
    cache: str | None = None
    labels: bool = True
    holdout: Annotated[float, Ge(0), Lt(1)] = 0.0
    holdout_seed: LongSeed = 0


@dataclass(frozen=True)
class EMASection:
    """Moving average of the generator.

    Args:
        half_life_kimg: images, in thousands, after which a weight counts half in the average.
        ramp_up: the half-life is at most this times the images seen; null for no ramp.
        start_kimg: images, in thousands, from which on weights are averaged; until then the average is the weights.
    """

    half_life_kimg: Annotated[Scheduled, Gt(0)] = 10.0
    ramp_up: Positive | None = 0.05
    start_kimg: Annotated[float, Ge(0)] = 0.0


@dataclass(frozen=True)
class TrainerSection:
    """What goes to Lightning's Trainer.

    Args:
        accelerator: Either auto, cpu, gpu or another that Lightning knows.
        devices: processes on each node.
        num_nodes: machines.
        precision: Precision of the networks; losses are in full precision.
        penalty_precision: Precision of the networks in penalties: full or, which is faster, the `same` as elsewhere.
        compile: What `torch.compile` takes: `none`, the `networks` of all players, or a list of players. It cannot take
            those that a penalty differentiates twice.
        benchmark: let cuDNN time its algorithms; null leaves the choice to Lightning.
        deterministic: use deterministic algorithms only, which is slower.
        detect_anomaly: look for the operation that made a non-finite gradient, which is slow.
        signals: Further signals that write a checkpoint and end the run as SIGTERM does, such as those that a cluster
            sends before it takes a machine away.
        timeout_minutes: How long a process, or a loading process, may keep the others waiting before the run ends.
    """

    accelerator: str = "auto"
    devices: Processes = 1
    num_nodes: Processes = 1
    precision: Annotated[Literal["32-true", "bf16-mixed", "64-true"], _NO_FLOAT16] = "32-true"
    penalty_precision: Literal["float32", "same"] = "float32"
    compile: Literal["none", "networks"] | tuple[str, ...] = "none"
    benchmark: bool | None = None
    deterministic: bool = False
    detect_anomaly: bool = False
    signals: tuple[Literal["SIGHUP", "SIGUSR1", "SIGUSR2"], ...] = ()
    timeout_minutes: Annotated[float, Gt(0), Le(100_000)] = 30.0


@dataclass(frozen=True)
class CheckpointSection:
    """When checkpoints are written and how many of them are kept.

    Args:
        every_kimg: interval in thousands of images.
        keep: newest checkpoints that stay.
        every_minutes: interval by the clock as well, null for none.
    """

    every_kimg: Positive = 20.0
    keep: Count = 2
    every_minutes: Positive | None = None


@dataclass(frozen=True)
class BestSection:
    """Which evaluation is the best; its checkpoint is kept as `checkpoints/best.ckpt`.

    Args:
        metric: One number in the log, such as `swd/average`.
        direction: whether lower or higher numbers are better; null for what the metric says.
        patience: evaluations without a better one after which the training ends; null for no end before its length.
    """

    metric: Annotated[str, MinLen(1)]
    direction: Literal["lower", "higher"] | None = None
    patience: Count | None = None


@dataclass(frozen=True)
class EvaluationSection:
    """Metrics on samples of the EMA generator.

    Args:
        metrics: nodes of the metrics.
        every_kimg: interval in thousands of images.
        samples: images that each evaluation draws.
        batch_size: images drawn at a time; it does not change them.
        seed: LongSeed of the samples.
        reals: what is compared with: examples of the training, or those that `data.holdout` or the data set hold out.
        sampling: Sampling options of the architecture.
        precision: What networks compute the samples in; bf16 is faster and changes numbers a little.
        budget_minutes: How long an evaluation may take; metrics that would exceed it are left out. null is no limit.
        best: the number that tells which evaluation is the best, and how long to wait for a better one; null for none.
    """

    metrics: tuple[MetricNode, ...] = ()
    every_kimg: Positive = 50.0
    samples: Annotated[int, Ge(1), Le(10_000_000)] = 10_000
    batch_size: Images = 64
    seed: LongSeed = 0
    reals: Literal["train", "held_out"] = "train"
    sampling: Mapping[str, Any] = field(default_factory=dict)
    precision: Literal["float32", "bf16"] = "float32"
    budget_minutes: Positive | None = None
    best: BestSection | None = None


@dataclass(frozen=True)
class SnapshotSection:
    """Grids of samples, from the same latents every time.

    Args:
        every_kimg: interval in thousands of images.
        grid: rows and columns.
        seed: LongSeed of the samples.
        sampling: Sampling options of the architecture.
    """

    every_kimg: Positive = 10.0
    grid: tuple[GridSide, GridSide] = (8, 8)
    seed: LongSeed = 0
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DiversitySection:
    """How different samples are, within classes and over all, against reals; a warning where they look alike.

    Args:
        every_kimg: interval in thousands of images.
        seed: LongSeed of the samples.
    """

    every_kimg: Positive = 10.0
    seed: LongSeed = 0


@dataclass(frozen=True)
class GuardSection:
    """What to do about a non-finite gradient, and about a training that collapses.

    Args:
        non_finite: stop the training, skip the update, or roll back to the last checkpoint.
        collapse: What to do where fakes look alike, the discriminator has won or weights explode: nothing, say so,
            stop, or roll back to the last checkpoint from before there was a sign of it.
        limit: skips in a row, or rollbacks, after which training stops all the same.
        learning_rate_factor: what each rollback multiplies all learning rates by.
        least_spread: fakes that are less different than this share of what reals are have collapsed.
        least_loss: A discriminator whose loss is below this share of that of no knowledge has won.
        most_growth: Weights whose largest singular value is this many times what it was at the start explode.
    """

    non_finite: Literal["stop", "skip", "rollback"] = "stop"
    collapse: Literal["ignore", "warn", "stop", "rollback"] = "warn"
    limit: Count = 5
    learning_rate_factor: Annotated[float, Gt(0), Le(1)] = 1.0
    least_spread: Annotated[float, Ge(0), Lt(1)] = 0.15
    least_loss: Annotated[float, Ge(0), Lt(1)] = 0.02
    most_growth: Annotated[float, Gt(1)] = 20.0


@dataclass(frozen=True)
class Spec:
    """One experiment.

    Args:
        name: Name of the experiment, and of the folder of its runs.
        kimg: length in thousands of real images shown to the discriminator.
        data: the data set.
        architecture: the networks and the game that they play.
        optimizers: one for each player.
        seed: LongSeed of all random numbers of the training.
        ema: moving average of the generator; null for none.
        trainer: what goes to Lightning.
        checkpoint: when the state is saved.
        evaluation: metrics; null for none.
        snapshots: grids of samples; null for none.
        diversity: how different samples are; null for not looking.
        tracking: where numbers go.
        guard: what to do about numbers that are not finite, and about a collapse.
    """

    name: Annotated[str, MinLen(1)]
    kimg: Annotated[float, Ge(0.001), Le(1e9)]
    data: DataNode
    architecture: Node
    optimizers: Mapping[str, OptimizerNode]
    seed: LongSeed = 0
    ema: EMASection | None = field(default_factory=EMASection)
    trainer: TrainerSection = field(default_factory=TrainerSection)
    checkpoint: CheckpointSection = field(default_factory=CheckpointSection)
    evaluation: EvaluationSection | None = None
    snapshots: SnapshotSection | None = field(default_factory=SnapshotSection)
    diversity: DiversitySection | None = field(default_factory=DiversitySection)
    tracking: TrackingSection = field(default_factory=TrackingSection)
    guard: GuardSection = field(default_factory=GuardSection)

    @property
    def total_images(self) -> int:
        """Length in images."""
        return round(self.kimg * 1000)


def scheduled_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places, below `path`, of all schedules in an option's value: in nodes, in what they nest, in lists."""
    if isinstance(value, Schedule):
        yield path
    elif isinstance(value, Node):
        yield from scheduled_paths(value.options, path)
        yield from scheduled_paths({key: getattr(value, key) for key in platform_keys(type(value))}, path)
    elif isinstance(value, Mapping | list | tuple):
        for key, part in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from scheduled_paths(part, (*path, key))


def nodes_within(value: Any) -> Iterator[Node]:
    """All nodes of a spec or of any part of one, a node before those among its options."""
    if isinstance(value, Node):
        yield value
        yield from nodes_within(value.options)
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from nodes_within(part)
    elif is_dataclass(value):
        yield from nodes_within([getattr(value, part.name) for part in fields(value)])


def own_names(nodes: Sequence[Node]) -> list[str]:
    """What each of the nodes of one list is called: its alias, or its plugin's name, the second time as `name_2`."""
    seen: Counter[str] = Counter()
    names = []
    for node in nodes:
        alias: str | None = getattr(node, "alias", None)
        if alias is None:
            seen[node.name] += 1
        names.append(alias or (node.name if seen[node.name] == 1 else f"{node.name}_{seen[node.name]}"))
    return names


def platform_keys(node: type[Node]) -> frozenset[str]:
    """The keys of a kind of node that belong to the platform and not to the plugin."""
    return frozenset(field.name for field in fields(node)) - {field.name for field in fields(Node)}
