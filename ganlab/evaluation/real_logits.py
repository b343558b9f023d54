"""What the discriminator says of reals that it was trained on, and of reals that it never saw."""

from __future__ import annotations

from ganlab.contracts import Batch, Dataset
from ganlab.data.examples import IMAGES, LABEL, read_examples
from ganlab.data.opening import held_out_of
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.errors import MissingPart
from ganlab.evaluation.sampling import at_rest
from ganlab.randomness import derive_seed
from ganlab.training.module import GANModule

_COUNT = 64


class RealLogits:
    """Mean logits of up to 64 reals of the training and of 64 that are held out, always the same, read once.

    A discriminator that knows its reals by heart tells the two apart: the first look real to it, the others no more so
    than fakes do. Both are judged in evaluation mode, augmented as in training.
    """

    def __init__(self, dataset: Dataset) -> None:
        held_out = held_out_of(dataset)
        self.batches = {} if held_out is None else {"trained": _batch(dataset), "held_out": _batch(held_out)}

    def measure(self, module: GANModule) -> dict[str, float]:
        """`logits/trained` and `logits/held_out`; nothing for a game that does not judge images alone."""
        values = {}
        with at_rest(module, derive_seed("real logits")):
            for name, step in self.batches.items():
                moved = module.transfer_batch_to_device(step, module.device, 0)
                (batch,) = moved.batches(module.facts, module.settings.seed)
                mean = _mean(module, batch)
                if mean is None:
                    return {}
                values[f"logits/{name}"] = mean
        return values


def _mean(module: GANModule, batch: Batch) -> float | None:
    total = 0.0
    for part in batch.split(module.settings.micro_batch):
        try:
            logits = module.real_logits(part)
        except MissingPart:  # judged with something that only the game's own terms make
            return None
        if logits is None:
            return None
        total += float(logits.double().mean()) * len(part)
    return total / len(batch)


def _batch(dataset: Dataset) -> StepBatch:
    count = min(_COUNT, len(dataset))
    examples = read_examples(dataset, [place * len(dataset) // count for place in range(count)])
    inputs = {name: value for name, value in examples.items() if name not in (IMAGES, LABEL)}
    plan = StepPlan(position=0, images_seen=0, batch_size=count, steps=1, start=0, count=count)
    return StepBatch(plan, examples[IMAGES], examples.get(LABEL) if dataset.facts.classes else None, inputs)
