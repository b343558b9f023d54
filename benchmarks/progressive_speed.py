"""What growth saves, and one step of the game against a plain program, in turns and in one process.

    python benchmarks/progressive_speed.py [--resolutions 64 128] [--device cuda]
    python benchmarks/progressive_speed.py --step [--resolutions 32 64]

The first prints, for each stage, images a second beside the full network's, and the time to a number of images with
and without growth (800 kimg to fade and 800 to stabilise each resolution, or `--kimg` of each). The second times one
WGAN-GP step of both players: ganlab in float32 and in bfloat16, as `train` runs it, and the plain program of
`plain_progressive.py`. Ratios are medians of those of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
from contextlib import nullcontext
from functools import partial

import torch
from ganlab_progressive.architecture import ProgressiveGAN
from ganlab_progressive.parts import resolutions_up_to, width_at
from plain_progressive import PlainStep
from report import print_table
from turns import Clock, Work, clock_of, in_turns, measure_of, median_ratio, offer_cpu_time

from ganlab.builder import Builder
from ganlab.contracts import DataFacts, PlayerOptimizer
from ganlab.data.reduction import reduce_images
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.spec import node_from
from ganlab.training.optimizers import adam
from ganlab.training.settings import TrainingSettings


def grown(arguments: argparse.Namespace, resolution: int, growth: str) -> ProgressiveGAN:
    """The published networks at a resolution, ready to train."""
    widths = {"fmap_base": arguments.fmap_base, "fmap_max": arguments.fmap_max}
    node = {
        "name": "progressive",
        "generator": {"name": "progressive", "latent_size": arguments.fmap_max, **widths},
        "discriminator": {"name": "progressive", "fused": arguments.fused, **widths},
        "loss": "wgan_gp",
        "growth": growth,
        "fade_kimg": arguments.kimg,
        "stabilise_kimg": arguments.kimg,
    }
    facts = DataFacts((3, resolution, resolution), 1000, "noise")
    module: ProgressiveGAN = Builder(facts).construct(node_from("architectures", node), "architecture")
    optimizer = PlayerOptimizer(partial(adam, lr=1e-3, betas=(0.0, 0.99)))
    optimizers = dict.fromkeys(module.player_names, optimizer)
    module.prepare(TrainingSettings(facts=facts, optimizers=optimizers, batch_size=arguments.batch))
    module.to(arguments.device)
    module.configure_optimizers()
    return module


def step_of(module: ProgressiveGAN, arguments: argparse.Namespace, images_seen: float, precision: str) -> Work:
    """One training step of a module as at a moment of its training."""
    resolution = module.step_resolution(round(images_seen)) or module.resolution
    shape = (arguments.batch, 3, module.resolution, module.resolution)
    images = reduce_images(torch.randint(256, shape, dtype=torch.uint8), resolution).to(arguments.device)

    def work() -> None:
        module.clock.images_seen = module.clock.position = round(images_seen)
        plan = StepPlan(round(images_seen), round(images_seen), arguments.batch, 1, 0, arguments.batch)
        device = torch.device(arguments.device).type
        with torch.autocast(device, torch.bfloat16) if precision == "bf16" else nullcontext():
            module.training_step(StepBatch(plan, images), 0)
        if device == "cuda":
            torch.cuda.synchronize()

    return work


def stages_of(module: ProgressiveGAN, kimg: float) -> dict[str, tuple[float, float]]:
    """Each stage's name with a moment inside it and its images: the last one stabilises as long as the others."""
    images, begin, found = kimg * 1000, 0.0, {}
    for resolution in module.growth.resolutions:
        if resolution > module.growth.resolutions[0]:
            found[f"{resolution} fading"] = (begin + images / 2, images)
            begin += images
        found[f"{resolution}"] = (begin + images / 2, images)
        begin += images
    return found


def measure_growth(arguments: argparse.Namespace, clock: Clock) -> None:
    """Images a second at each stage, and the whole training."""
    for resolution in arguments.resolutions:
        module = grown(arguments, resolution, "fade")
        stages = stages_of(module, arguments.kimg)
        works = {name: step_of(module, arguments, moment, "float32") for name, (moment, _) in stages.items()}
        works["no growth"] = step_of(grown(arguments, resolution, "none"), arguments, 0, "float32")
        times = {name: statistics.median(taken) for name, taken in in_turns(works, arguments.rounds, clock).items()}
        full = times.pop("no growth") / arguments.batch
        total = sum(images for _, images in stages.values())
        took = sum(times[name] / arguments.batch * images for name, (_, images) in stages.items())
        speeds = {name: arguments.batch / step for name, step in times.items()} | {"no growth": 1 / full}
        rows = [[name, speed, speed * full] for name, speed in speeds.items()]
        title = f"{resolution} pixels: {_title(arguments)}"
        print_table(title, ["stage", "images/s", "ratio"], rows, arguments.threads)
        print(f"{total / 1000:.0f} kimg: {took / 3600:.2f} h with growth, {total * full / 3600:.2f} h without")
        print(f"growth is {total * full / took:.2f} times as fast\n")


def measure_step(arguments: argparse.Namespace, clock: Clock) -> None:
    """One step against the plain program's."""
    rows: list[list[object]] = []
    for resolution in arguments.resolutions:
        widths = {r: width_at(r, arguments.fmap_base, 1.0, arguments.fmap_max) for r in resolutions_up_to(resolution)}
        plain, reals = PlainStep(widths, arguments.fmap_max), torch.randn(arguments.batch, 3, resolution, resolution)
        works: dict[str, Work] = {"plain": partial(plain, reals)}
        for precision in ("float32", "bf16"):
            works[precision] = step_of(grown(arguments, resolution, "none"), arguments, 0, precision)
        times = in_turns(works, arguments.rounds, clock)
        for name in works:
            ratio = median_ratio(times["plain"], times[name])
            rows.append([resolution, name, statistics.median(times[name]) * 1000, ratio])
    title = f"One WGAN-GP step of both players: {_title(arguments)}"
    print_table(title, ["resolution", "program", "ms", "ratio"], rows, arguments.threads)


def _title(arguments: argparse.Namespace) -> str:
    order = ", averages before the rectifier" if arguments.fused else ""
    return (
        f"batch {arguments.batch}, fmap_base {arguments.fmap_base}, fmap_max {arguments.fmap_max}{order}, "
        f"{measure_of(arguments)}, {arguments.device}"
    )


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", action="store_true", help="one step against a plain program")
    parser.add_argument("--resolutions", type=int, nargs="+", help="64 and 128; with --step 32 and 64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--fmap-base", type=int, default=2048)
    parser.add_argument("--fmap-max", type=int, default=128)
    parser.add_argument("--fused", action="store_true", help="fold the discriminator's averages into convolutions")
    parser.add_argument("--kimg", type=float, default=800.0, help="of each fade and of each stage")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    offer_cpu_time(parser)
    arguments = parser.parse_args()
    arguments.resolutions = arguments.resolutions or ([32, 64] if arguments.step else [64, 128])
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    clock = clock_of(arguments)
    (measure_step if arguments.step else measure_growth)(arguments, clock)


if __name__ == "__main__":
    main()
