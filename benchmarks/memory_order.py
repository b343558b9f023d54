"""A step of both players with channels last in memory, as `train` runs it, against the usual order, in turns.

    python benchmarks/memory_order.py [--rounds 9] [--cpu-time]

The same networks, images and random numbers on both sides; ratios are medians of those of the rounds.
"""

from __future__ import annotations

import argparse
from functools import partial

import torch
from report import print_table
from turns import Clock, clock_of, compare, offer_cpu_time

from ganlab.builder import Builder
from ganlab.contracts import DataFacts, PlayerOptimizer
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.spec import node_from
from ganlab.training.module import GANModule
from ganlab.training.optimizers import adam
from ganlab.training.settings import TrainingSettings

_SPECTRAL = {"name": "dcgan", "normalizer": "spectral"}
_WIDTHS = {"name": "progressive", "fmap_base": 2048, "fmap_max": 128}
_FULL = {"growth": "none"}
CASES = {  # node, resolution, channels, batch
    "dcgan, batch norm": ({"name": "dcgan", "generator": "dcgan", "discriminator": "dcgan"}, 64, 3, 32),
    "dcgan, spectral norm": ({"name": "dcgan", "generator": "dcgan", "discriminator": _SPECTRAL}, 64, 3, 32),
    "dcgan of digits, width 32": (
        {"name": "dcgan", "generator": {"name": "dcgan", "width": 32}, "discriminator": {**_SPECTRAL, "width": 32}},
        16,
        1,
        64,
    ),
    "progressive, a quarter of its channels": (
        {
            "name": "progressive",
            "generator": _WIDTHS | {"latent_size": 128},
            "discriminator": _WIDTHS,
            "growth": "none",
        },
        32,
        3,
        16,
    ),
}


def step_of(node: dict[str, object], resolution: int, channels: int, batch: int, channels_last: bool) -> GANModule:
    """A game that is ready to train."""
    facts = DataFacts((channels, resolution, resolution), 1000, "noise")
    torch.manual_seed(0)
    loss = "wgan_gp" if node["name"] == "progressive" else "non_saturating"
    module: GANModule = Builder(facts).construct(node_from("architectures", {**node, "loss": loss}), "architecture")
    module.channels_last = channels_last  # type: ignore[misc]
    optimizer = PlayerOptimizer(partial(adam, lr=2e-4, betas=(0.0, 0.99)))
    optimizers = dict.fromkeys(module.player_names, optimizer)
    module.prepare(TrainingSettings(facts=facts, optimizers=optimizers, batch_size=batch))
    module.configure_optimizers()
    return module


def play(module: GANModule, images: torch.Tensor) -> None:
    """One round, with the change of the images' order."""
    plan = StepPlan(module.clock.position, module.clock.images_seen, len(images), 1, 0, len(images))
    module.training_step(module.transfer_batch_to_device(StepBatch(plan, images), torch.device("cpu"), 0), 0)


def row(name: str, rounds: int, clock: Clock) -> list[object]:
    """A row of the table."""
    node, resolution, channels, batch = CASES[name]
    images = torch.randint(256, (batch, channels, resolution, resolution), dtype=torch.uint8)
    modules = [step_of(node, resolution, channels, batch, last) for last in (False, True)]
    usual, last = (partial(play, module, images) for module in modules)
    return [name, resolution, batch, *compare(usual, last, rounds, clock)]


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    offer_cpu_time(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    clock = clock_of(arguments)
    rows = [row(name, arguments.rounds, clock) for name in CASES]
    print_table("One step", ["networks", "pixels", "batch", "usual ms", "channels last ms", "ratio"], rows, 1)


if __name__ == "__main__":
    main()
