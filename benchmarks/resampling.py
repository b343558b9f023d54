"""Resampling folded into convolutions against both in turn, by shape: where `ganlab.nn.resampling` folds.

    python benchmarks/resampling.py [--rounds 7] [--batch 16] [--layout channels_last]

A layer's forward pass and the gradients of its images and weights, in turns in one process. Sizes are those of the
smaller maps. Above 1, folding is faster; the last column says what `ResamplingConv2d` does there.
"""

from __future__ import annotations

import argparse
from functools import partial
from itertools import product

import torch
from report import print_table
from turns import Clock, clock_of, compare, offer_cpu_time

from ganlab.nn.resampling import Resample, ResamplingConv2d, folds

CHANNELS = ((16, 16), (32, 32), (64, 64), (256, 256), (512, 512), (64, 3), (3, 64))
SIZES = (4, 8, 16)
LARGEST = 2**33  # multiplications of a pass without folding


def pass_of(layer: ResamplingConv2d, images: torch.Tensor) -> None:
    """Forward and backward."""
    output = layer(images)
    torch.autograd.grad(output, [images, layer.weight], torch.ones_like(output))


def row(
    resample: Resample, inputs: int, outputs: int, side: int, arguments: argparse.Namespace, clock: Clock
) -> list[object]:
    """A row of the table."""
    size = side if resample == "up" else 2 * side
    images = torch.randn(arguments.batch, inputs, size, size)
    layers = [ResamplingConv2d(inputs, outputs, arguments.kernel, resample, fused) for fused in (False, True)]
    if arguments.layout == "channels_last":
        images = images.to(memory_format=torch.channels_last)
        layers = [layer.to(memory_format=torch.channels_last) for layer in layers]
    images.requires_grad_()
    plain, folded = (partial(pass_of, layer, images) for layer in layers)
    times = compare(plain, folded, arguments.rounds, clock)
    return [resample, f"{inputs} to {outputs}", side, *times, folds(resample, inputs, outputs, arguments.kernel)]


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--kernel", type=int, default=3)
    parser.add_argument("--layout", choices=["channels_last", "contiguous"], default="channels_last")
    offer_cpu_time(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    clock = clock_of(arguments)
    rows = [
        row(resample, inputs, outputs, side, arguments, clock)
        for resample, (inputs, outputs), side in product(("up", "down"), CHANNELS, SIZES)
        if arguments.batch * inputs * outputs * 4 * side**2 * arguments.kernel**2 <= LARGEST
    ]
    columns = ["resample", "channels", "side", "in turn ms", "folded ms", "ratio", "folds"]
    title = f"{arguments.kernel}x{arguments.kernel}, batch {arguments.batch}, {arguments.layout}"
    print_table(title, columns, rows, 1)


if __name__ == "__main__":
    main()
