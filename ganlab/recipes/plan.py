"""What a training will take: parameters, memory, time and room on the disk, before it starts."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ganlab.build import facts_of_data
from ganlab.errors import DataMissing
from ganlab.facts import DataFacts
from ganlab.recipes.machine import Machine, this_machine
from ganlab.recipes.step_memory import MIB, MOST, MemoryPlan, StepMemory
from ganlab.run.dry_run import costs_of, duration, measure, seconds_needed
from ganlab.spec.model import Spec

_USABLE = 0.9  # of the memory, for the rest of the program and what is lost between tensors


@dataclass
class TrainingPlan:
    """The plan of a training on this machine.

    Args:
        parameters: trainable ones of each player.
        memory: of the step that takes most.
        limit: bytes that it may take.
        machine: that it was made for.
        largest_part: images on each device at once that fit; None where `data.batch_size` does not decide that.
        disk: bytes that the run's folder will have.
        free: bytes that are free where it will lie.
        measured_mib: what the process had in a real step; None where none was made.
        stages: images seen at the beginning of each stage, and its seconds for a thousand images.
        seconds: of the whole training, by what they are for.
        problems: sentences on what could not be tried.
    """

    parameters: dict[str, int]
    memory: StepMemory
    limit: float
    machine: Machine
    largest_part: int | None
    disk: int
    free: int
    measured_mib: float | None = None
    stages: list[tuple[int, float]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def warnings(self) -> Iterator[str]:
        """What will not fit, and what to do."""
        if self.memory.total > self.limit:
            fits = "no batch fits: choose smaller networks or images"
            if self.largest_part is None:
                fits = "choose smaller 'batch_sizes', or parts of a batch by 'data.micro_batch'"
            elif self.largest_part:
                fits = (
                    f"the largest part of a batch that fits is {self.largest_part} images on each device: set "
                    f"'data.micro_batch' to at most that, which changes no result, or 'data.batch_size'"
                )
            yield f"a step takes {_size(self.memory.total)}, and {_size(self.limit)} can be used: {fits}"
        if self.disk > self.free:
            yield (
                f"the run takes about {_size(self.disk)} on the disk, where {_size(self.free)} are free: keep fewer "
                "checkpoints by 'checkpoint.keep', or choose another folder by --runs"
            )


def plan_training(spec: Spec, runs: Path, *, step: bool = True) -> TrainingPlan:
    """The plan of a spec; with `step`, some rounds are played for the time and the memory that they take.

    Raises `UserError` for all that would keep the training from starting, and `DataMissing` where it is not known what
    the data are like.
    """
    facts, missing = facts_of_data(spec)
    if facts is None:
        raise DataMissing(f"{missing}; the spec does not say what the data are like either")
    machine = this_machine()
    planned = MemoryPlan(spec, facts)
    memory = planned.of_spec()
    limit = machine.memory_gib * 2**30 * _USABLE
    plan = TrainingPlan(
        {name: sum(p.numel() for p in owned) for name, owned in planned.module.trainable.items()},
        memory,
        limit,
        machine,
        planned.largest_part(round(limit)),
        _on_disk(spec, facts, memory),
        shutil.disk_usage(_existing(runs)).free,
        problems=[missing] if missing else [],
    )
    if step and not missing and memory.total <= limit:
        _measure(spec, plan)
    return plan


def lines_of(plan: TrainingPlan) -> list[str]:
    """The plan as people read it; warnings come last."""
    memory = plan.memory
    lines = [
        f"parameters     {', '.join(f'{name} {count:,}' for name, count in plan.parameters.items())}",
        f"machine        {plan.machine}",
        f"memory         {_size(memory.total)} for a step on each device: weights {_size(memory.weights)}, optimizers "
        f"{_size(memory.optimizers)}, gradients and maps {_size(memory.passing)}",
    ]
    if plan.measured_mib is not None:
        lines.append(f"measured       {_size(plan.measured_mib * MIB)} in a real step, program included")
    if plan.largest_part:
        more = " or more" if plan.largest_part >= MOST else ""
        lines.append(f"largest batch  {plan.largest_part:,} images{more} at once on each device")
    if plan.stages:
        paces = ", ".join(
            f"{cost:.3g} s" + (f" from {begin / 1000:g} kimg" if len(plan.stages) > 1 else "")
            for begin, cost in plan.stages
        )
        parts = ", ".join(f"{name} {duration(seconds)}" for name, seconds in plan.seconds.items())
        lines += [f"time per kimg  {paces}", f"time           {duration(sum(plan.seconds.values()))} ({parts})"]
    lines.append(f"disk           {_size(plan.disk)}, {_size(plan.free)} free")
    return [*lines, *plan.problems, *(f"warning: {sentence}" for sentence in plan.warnings())]


def _measure(spec: Spec, plan: TrainingPlan) -> None:
    rehearsal, problems = measure(spec)
    plan.problems += problems
    if rehearsal is None:
        return
    plan.measured_mib = rehearsal.memory
    costs = costs_of(rehearsal)
    plan.stages = [(stage.begin, 1000 * cost) for stage, cost in zip(rehearsal.stages, costs, strict=False)]
    plan.seconds = seconds_needed(spec, rehearsal) if costs else {}


def _on_disk(spec: Spec, facts: DataFacts, memory: StepMemory) -> int:
    """Checkpoints that are kept, the best one, the generator, and pictures at the size of their pixels."""
    best = spec.evaluation is not None and spec.evaluation.best is not None
    written = math.ceil(spec.kimg / spec.checkpoint.every_kimg) + 1
    checkpoints = min(spec.checkpoint.keep, written) + best
    pictures = 0
    if spec.snapshots is not None and facts.is_images:
        rows, columns = spec.snapshots.grid
        pictures = (math.ceil(spec.kimg / spec.snapshots.every_kimg) + 1) * rows * columns * facts.dimensions
    return checkpoints * memory.saved + memory.weights + pictures


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    path = folder.resolve()
    return path if path.exists() else _existing(path.parent)


def _size(count: float) -> str:
    return f"{count / 2**30:,.2f} GiB" if count >= 2**30 else f"{count / MIB:,.1f} MiB"
