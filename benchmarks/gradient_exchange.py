"""The exchange of gradients between two processes: one flat copy at each update against the tensor that stays.

    python benchmarks/gradient_exchange.py [--millions 6 23] [--rounds 15]

Both in turns on gradients of the same sizes; each time is of a whole exchange, with the sum over both processes, and
of the copies alone. Ratios are medians of those of the rounds.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.distributed as dist
import torch.multiprocessing
from report import print_table
from torch import Tensor, nn

from ganlab.distributed import Exchange


def parameters_of(millions: float) -> list[nn.Parameter]:
    """Weights and biases of 3x3 convolutions with 256 channels."""
    count = round(millions * 1e6 / (256 * 256 * 9))
    shapes = [(256, 256, 3, 3), (256,)] * count
    return [nn.Parameter(torch.zeros(shape)) for shape in shapes]


def copied(parameters: list[nn.Parameter], reduce: bool) -> None:
    """One tensor of all gradients, made anew and copied back."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    if reduce:
        dist.all_reduce(flat)
    flat /= dist.get_world_size()
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    torch._foreach_copy_(gradients, [part.view_as(own) for part, own in zip(parts, gradients, strict=True)])


def milliseconds(parameters: list[nn.Parameter], gradients: list[Tensor], work: Callable[[], object]) -> float:
    """Of one exchange, with new gradients as a backward pass makes them."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    dist.barrier()
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def measure(rank: int, port: int, arguments: argparse.Namespace) -> None:
    """What one of two processes does; the first prints."""
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=rank, world_size=2)
    torch.set_num_threads(1)
    rows = [row for millions in arguments.millions for row in compare(millions, arguments.rounds)]
    if rank == 0:
        print_table("Exchange of gradients, two processes", ["parameters", "how", "ms", "ratio"], rows, 1)
    dist.destroy_process_group()


def compare(millions: float, rounds: int) -> Iterator[list[object]]:
    """Rows of the table for one size."""
    parameters = parameters_of(millions)
    gradients = [torch.randn_like(parameter) for parameter in parameters]
    exchange = Exchange(nn.Module())
    works: dict[str, Callable[[], object]] = {
        "copied": partial(copied, parameters, reduce=True),
        "kept": partial(exchange.synchronise, parameters, signal=False),
        "copied, without the sum": partial(copied, parameters, reduce=False),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            taken = milliseconds(parameters, gradients, work)
            if turn:
                times[name].append(taken)
    for name, taken_all in times.items():
        ratio = statistics.median(a / b for a, b in zip(times["copied"], taken_all, strict=True))
        yield [f"{millions:g} M", name, statistics.median(taken_all), ratio]


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--millions", type=float, nargs="+", default=[6, 23])
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(measure, (port, arguments), nprocs=2)


if __name__ == "__main__":
    main()
