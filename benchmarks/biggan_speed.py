"""A round of BigGAN for CIFAR-10 against a plain program, in turns and in one process.

    python benchmarks/biggan_speed.py [--width 64] [--device cuda] [--cpu-time]

A round is four updates of the discriminator and one of the generator, batches of 50, with spectral norm in both and an
average of the generator: ganlab in float32 and in bfloat16, as `train` runs it, beside `plain_biggan.py` in both. It
prints times, ratios (medians of those of the rounds), and the share of convolutions in ganlab's CPU time.
"""

from __future__ import annotations

import argparse
import statistics
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from plain_biggan import PlainBigGAN
from report import print_table
from turns import Work, clock_of, in_turns, measure_of, median_ratio, offer_cpu_time

from ganlab.builder import Builder
from ganlab.contracts import DataFacts, PlayerOptimizer
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.spec import node_from
from ganlab.training.module import GANModule
from ganlab.training.optimizers import adam
from ganlab.training.settings import TrainingSettings

_CLASSES, _STEPS, _SIDE = 10, 4, 32


def module_of(arguments: argparse.Namespace) -> GANModule:
    """The published networks for CIFAR-10, ready to train."""
    node = {
        "name": "biggan",
        "generator": {"name": "biggan", "width": arguments.width, "latent_size": 128, "shared": 0, "skip": "none"},
        "discriminator": {"name": "biggan", "width": arguments.width},
        "loss": "hinge",
        "discriminator_steps": _STEPS,
        "fake_labels": "uniform",
    }
    names = tuple(map(str, range(_CLASSES)))
    facts = DataFacts((3, _SIDE, _SIDE), 50_000, "noise", class_names=names)
    module: GANModule = Builder(facts).construct(node_from("architectures", node), "architecture")
    optimizer = PlayerOptimizer(partial(adam, lr=2e-4, betas=(0.0, 0.999)))
    optimizers = dict.fromkeys(module.player_names, optimizer)
    module.prepare(TrainingSettings(facts, optimizers, batch_size=arguments.batch, half_life_kimg=1386, ramp_up=None))
    module.to(arguments.device)
    module.configure_optimizers()
    return module


def round_of(arguments: argparse.Namespace, precision: str, images: torch.Tensor, labels: torch.Tensor) -> Work:
    """One round of ganlab."""
    module, size = module_of(arguments), arguments.batch

    def work() -> None:
        clock = module.clock
        plan = StepPlan(clock.position, clock.images_seen, size, _STEPS, 0, size)
        with _precision(precision, arguments.device):
            module.training_step(StepBatch(plan, images, labels).map(module.in_order), 0)
        _wait(arguments.device)

    return work


def plain_round(arguments: argparse.Namespace, precision: str, images: torch.Tensor, labels: torch.Tensor) -> Work:
    """One round of the plain program."""
    program = PlainBigGAN(4 * arguments.width, _CLASSES, arguments.batch, _STEPS, arguments.device)
    scaled = images.float() / 127.5 - 1

    def work() -> None:
        with _precision(precision, arguments.device):
            program(scaled, labels)
        _wait(arguments.device)

    return work


def share_of_convolutions(work: Work) -> float:
    """Part of the time on the CPU that convolutions and their gradients take."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        work()
    averages: list[Any] = list(profile.key_averages())
    total = sum(event.self_cpu_time_total for event in averages)
    own = sum(e.self_cpu_time_total for e in averages if "conv" in e.key or "mkldnn" in e.key)
    return float(own / total)


def _precision(name: str, device: str) -> AbstractContextManager[Any]:
    return torch.autocast(torch.device(device).type, torch.bfloat16) if name == "bf16" else nullcontext()


def _wait(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--width", type=int, default=64, help="a quarter of the channels")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    offer_cpu_time(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    count = _STEPS * arguments.batch
    images = torch.randint(256, (count, 3, _SIDE, _SIDE), dtype=torch.uint8).to(arguments.device)
    labels = torch.randint(_CLASSES, (count,)).to(arguments.device)
    works = {
        "plain, float32": plain_round(arguments, "float32", images, labels),
        "ganlab, float32": round_of(arguments, "float32", images, labels),
        "plain, bf16": plain_round(arguments, "bf16", images, labels),
        "ganlab, bf16": round_of(arguments, "bf16", images, labels),
    }
    times = in_turns(works, arguments.rounds, clock_of(arguments))
    rows = []
    for name in works:
        ratio = median_ratio(times["plain, float32"], times[name])
        rows.append([name, statistics.median(times[name]) * 1000, ratio])
    title = (
        f"BigGAN-32, {4 * arguments.width} channels, batch {arguments.batch}, {_STEPS} discriminator steps: a round, "
        f"{measure_of(arguments)}, {arguments.device}"
    )
    print_table(title, ["program", "ms", "ratio"], rows, arguments.threads)
    for precision in ("float32", "bf16"):
        share = share_of_convolutions(works[f"ganlab, {precision}"])
        print(f"convolutions take {share:.0%} of ganlab's time on the CPU in {precision}")


if __name__ == "__main__":
    main()
