"""What one rank needs for one training step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.contracts import Batch, Examples
from ganlab.data.scaling import scale, scale_input
from ganlab.facts import DataFacts
from ganlab.randomness import Randomness


@dataclass(frozen=True)
class StepPlan:
    """One rank's part of a training step, as places in the stream.

    The step begins at `position`, when the clock shows `images_seen`, and has `steps` consecutive global batches of
    `batch_size`; this rank takes `count` examples from `start` in each of them, images reduced to `resolution` if
    there is one, and of sequences windows of `frames` frames, all of an example's if it is None.
    """

    position: int
    images_seen: int
    batch_size: int
    steps: int
    start: int
    count: int
    resolution: int | None = None
    frames: int | None = None

    @property
    def positions(self) -> Tensor:
        """Places in the stream, (steps * count,), one global batch after the other."""
        begin = self.position + self.start
        if self.steps == 1:
            return torch.arange(begin, begin + self.count)
        first = torch.arange(self.steps) * self.batch_size + begin
        return (first[:, None] + torch.arange(self.count)).flatten()


class StepBatch:
    """One rank's examples for one training step: `plan.steps` updates of the discriminator.

    `images` holds them in their stored type, (steps * count, *shape); `labels` is int64 or None; `inputs` are a data
    set's further fields by name, as stored; `further` holds the same of each further domain; `unsound` names examples
    with values that are not finite. (No dataclass: Lightning
    takes dataclasses apart, copies them and refuses frozen parts, in every step.)
    """

    def __init__(
        self,
        plan: StepPlan,
        images: Tensor,
        labels: Tensor | None = None,
        inputs: Mapping[str, Tensor] | None = None,
        further: Mapping[str, StepBatch] | None = None,
        unsound: Sequence[str] = (),
    ) -> None:
        self.plan = plan
        self.images = images
        self.labels = labels
        self.inputs = inputs or {}
        self.further = further or {}
        self.unsound = tuple(unsound)

    @property
    def position(self) -> int:
        """Where the step begins in the stream."""
        return self.plan.position

    @property
    def images_seen(self) -> int:
        """What the clock shows before this step; a batch with another number is left over from before a restart."""
        return self.plan.images_seen

    @property
    def batch_size(self) -> int:
        """Images of one discriminator update, over all ranks."""
        return self.plan.batch_size

    @property
    def steps(self) -> int:
        """Discriminator updates of this training step."""
        return self.plan.steps

    @property
    def start(self) -> int:
        """This rank's offset in each global batch."""
        return self.plan.start

    @property
    def images_shown(self) -> int:
        """Real images of this training step, over all ranks: what the clock advances by."""
        return self.plan.steps * self.plan.batch_size

    def to(self, device: torch.device | str, non_blocking: bool = False) -> StepBatch:
        """The batch on a device; copies from pinned memory do not block."""
        non_blocking = non_blocking or self.images.is_pinned()
        return self.map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> StepBatch:
        """The batch in pinned memory (called by torch's DataLoader)."""
        return self.map(lambda tensor: tensor.pin_memory())

    def batches(self, facts: DataFacts, seed: int) -> list[Batch]:
        """One `Batch` for each discriminator update: images scaled to [-1, 1] where they are, in the default type.

        Its random numbers are keyed by `seed` and the position at which the update's global batch begins.
        """
        examples = self.scaled(facts)
        further = {name: part.scaled(facts.further[name]) for name, part in self.further.items()}
        return [self._batch(examples, further, step, seed) for step in range(self.steps)]

    def scaled(self, facts: DataFacts) -> Examples:
        """All examples of the step as networks get them."""
        inputs = {name: scale_input(value, facts.inputs.get(name)) for name, value in self.inputs.items()}
        return Examples(scale(self.images, facts.value_range), self.labels, inputs)

    def _batch(self, examples: Examples, further: Mapping[str, Examples], step: int, seed: int) -> Batch:
        plan = self.plan
        rows = slice(step * plan.count, (step + 1) * plan.count)
        random = Randomness(
            seed,
            plan.position + step * plan.batch_size,
            count=plan.count,
            start=plan.start,
            total=plan.batch_size,
            device=self.images.device,
        )
        part = examples.rows(rows)
        others = {name: other.rows(rows) for name, other in further.items()}
        return Batch(part.images, part.labels, random, part.inputs, others)

    def map(self, change: Callable[[Tensor], Tensor]) -> StepBatch:
        """The batch with each of its tensors changed."""
        labels = None if self.labels is None else change(self.labels)
        inputs = {name: change(value) for name, value in self.inputs.items()}
        further = {name: part.map(change) for name, part in self.further.items()}
        return StepBatch(self.plan, change(self.images), labels, inputs, further, self.unsound)
