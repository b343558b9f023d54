"""The most memory that a round of BigGAN takes for a batch as a whole and in micro-batches.

    python benchmarks/batch_memory.py [--batches 256 1024] [--micro 64] [--device cuda]

Each is measured in a process of its own: what the program takes at most, less what it takes before the first round.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource

import torch
from biggan_speed import module_of
from report import print_table

from ganlab.data.step_batch import StepBatch, StepPlan


def memory_of(arguments: argparse.Namespace, batch: int, micro: int | None) -> float:
    """MiB of one round with one update of each player."""
    torch.set_num_threads(1)
    arguments.batch = batch
    module = module_of(arguments)
    module.settings.micro_batch, module.discriminator_steps = micro, 1
    images = torch.randint(256, (batch, 3, 32, 32), dtype=torch.uint8).to(arguments.device)
    labels = torch.randint(10, (batch,)).to(arguments.device)
    step = StepBatch(StepPlan(0, 0, batch, 1, 0, batch), images, labels).map(module.in_order)
    before = _most(arguments.device)
    module.training_step(step, 0)
    return _most(arguments.device) - before


def _most(device: str) -> float:
    if torch.device(device).type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--micro", type=int, default=64)
    parser.add_argument("--width", type=int, default=16, help="a quarter of the channels")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    cases = [(batch, micro) for batch in arguments.batches for micro in (None, arguments.micro)]
    rows = []
    for batch, micro in cases:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append([batch, micro or "whole", pool.apply(memory_of, (arguments, batch, micro))])
    title = f"Memory of a round of BigGAN-32 with {4 * arguments.width} channels, {arguments.device}"
    print_table(title, ["batch", "micro_batch", "MiB"], rows)


if __name__ == "__main__":
    main()
