"""Penalties on gradients: ganlab's convolutions against torch's, in turns and in one process.

Usage: `python benchmarks/penalties.py [--rounds 7]`

Times a penalty with its backward pass on the 64-pixel networks of `dcgan` without a normalizer: R1 and the gradient
penalty on the discriminator, the length of the generator's gradient (path length). Both sides have the same weights
and inputs. Errors are those of the gradient of all weights against torch's in float64.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from ganlab_dcgan.discriminator import DCGANDiscriminator
from ganlab_dcgan.generator import DCGANGenerator
from ganlab_layers.none import NoNormalizer
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.r1 import R1
from report import print_table
from torch import Tensor, nn

from ganlab.contracts import Views
from ganlab.nn import Conv2d, ConvTranspose2d, LeakyReLU, ReLU
from ganlab.randomness import Randomness

Penalty = Callable[[nn.Module, torch.dtype], Tensor]


def discriminator_penalty(regularizer: Any, batch: int, network: nn.Module, dtype: torch.dtype) -> Tensor:
    """A regularizer of the discriminator on images of noise."""
    random = Randomness(0, "images", count=batch)
    real, fake = (random.normal(name, 3, 64, 64).tanh().to(dtype) for name in ("real", "fake"))
    channels_last = partial(torch.Tensor.contiguous, memory_format=torch.channels_last)
    views = Views(real_images=channels_last(real), fake_images=channels_last(fake), discriminate=network, random=random)
    penalty: Tensor = regularizer.penalty(views)
    return penalty


def path_length(batch: int, network: nn.Module, dtype: torch.dtype) -> Tensor:
    """Squared distance from 1 of the gradient of images times noise by their latents (Karras et al., 2020)."""
    random = Randomness(0, "latents", count=batch)
    latents = random.normal("latents", 100).to(dtype).requires_grad_()
    images: Tensor = network(latents)
    product = (images * random.normal("noise", 3, 64, 64).to(dtype) / 64).sum()
    (gradient,) = torch.autograd.grad(product, latents, create_graph=True)
    return (gradient.norm(dim=1) - 1).square().mean()


def with_torch_layers(network: nn.Module) -> nn.Module:
    """The same network and weights with torch's own convolutions."""
    network = copy.deepcopy(network)
    for layer in network.modules():
        if isinstance(layer, Conv2d | ConvTranspose2d | LeakyReLU | ReLU):
            layer.__class__ = type(layer).__base__
    return network


def gradient(penalty: Penalty, network: nn.Module, precision: torch.dtype) -> Tensor:
    """The gradient of the penalty by all weights as one float64 vector; bfloat16 means autocast."""
    network.zero_grad()
    is_mixed = precision == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
        value = penalty(network, torch.float32 if is_mixed else precision)
    value.backward()
    parts = (torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters())
    return torch.cat([part.flatten().double() for part in parts])


def compare(name: str, penalty: Penalty, network: nn.Module, precision: torch.dtype, rounds: int) -> list[object]:
    """A row of the table: medians of times and of their ratios, one ratio a round, and both errors."""
    truth = gradient(penalty, with_torch_layers(network).double(), torch.float64)
    sides = {"torch": with_torch_layers(network), "ganlab": network}
    errors = {side: error(gradient(penalty, sides[side], precision), truth) for side in sides}
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, candidate in sides.items():
            start = time.perf_counter()
            gradient(penalty, candidate, precision)
            times[side].append((time.perf_counter() - start) * 1000)
    ratio = statistics.median(a / b for a, b in zip(times["torch"], times["ganlab"], strict=True))
    medians = [statistics.median(times[side]) for side in sides]
    return [name, str(precision).removeprefix("torch."), *medians, ratio, errors["torch"], errors["ganlab"]]


def error(found: Tensor, truth: Tensor) -> str:
    """Relative error and cosine."""
    cosine = torch.nn.functional.cosine_similarity(found, truth, dim=0)
    return f"{(found - truth).norm() / truth.norm():.1e}, {cosine:.5f}"


def main() -> None:
    """Measure all penalties in both precisions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    networks = {
        "discriminator": DCGANDiscriminator(64, 3, width=arguments.width, normalizer=NoNormalizer()),
        "generator": DCGANGenerator(64, 3, width=arguments.width, normalizer=NoNormalizer()),
    }
    for network in networks.values():
        network.to(memory_format=torch.channels_last)
    penalties: dict[str, tuple[str, Penalty]] = {
        "R1": ("discriminator", partial(discriminator_penalty, R1(), arguments.batch)),
        "gradient penalty": ("discriminator", partial(discriminator_penalty, GradientPenalty(), arguments.batch)),
        "path length": ("generator", partial(path_length, arguments.batch)),
    }
    rows = [
        compare(name, penalty, networks[player], precision, arguments.rounds)
        for name, (player, penalty) in penalties.items()
        for precision in (torch.float32, torch.bfloat16)
    ]
    columns = ["penalty", "precision", "torch ms", "ganlab ms", "ratio", "torch error, cosine", "ganlab error, cosine"]
    print_table(f"Penalty and backward pass, batch {arguments.batch}, channels last", columns, rows, arguments.threads)


if __name__ == "__main__":
    main()
