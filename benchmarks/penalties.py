"""Penalties on gradients: ganlab's layers against torch's, in turns and in one process.

    python benchmarks/penalties.py [--rounds 7]

Times a penalty with its backward pass on the 64-pixel networks of `dcgan` without a normalizer: R1 and the gradient
penalty on the discriminator, the length of the generator's gradient (path length). `stride 1` is a discriminator
that halves its images by pooling. Both sides have the same weights and inputs. Errors are those of the gradient of
all weights against torch's in float64.

A second table holds R1 from finite differences against the exact one, both with ganlab's layers, and a third one R1
from random steps (`r1_approximate`, scaled to the exact penalty): the error of its gradient for one step of each image,
and of the mean over many.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from ganlab_dcgan.discriminator import DCGANDiscriminator
from ganlab_dcgan.generator import DCGANGenerator
from ganlab_layers.none import NoNormalizer
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.r1 import R1
from ganlab_objectives.r1_approximate import R1Approximate
from report import print_table
from torch import Tensor, nn
from turns import Clock, clock_of, compare, measure_of, offer_cpu_time

from ganlab.contracts import Regularizer, Views
from ganlab.nn import AveragePool, Conv2d, ConvTranspose2d, LeakyReLU, ReLU
from ganlab.randomness import Randomness
from ganlab.views import as_scores

Penalty = Callable[[nn.Module], Tensor]
_DRAWN = Conv2d | ConvTranspose2d
_DRAWS = 64


def pooled_discriminator(width: int) -> nn.Module:
    """3x3 convolutions at each resolution from 64 to 8 pixels, with the widths of `dcgan`."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise([3, width, 2 * width, 4 * width, 8 * width]):
        layers += [Conv2d(inputs, outputs, 3, padding=1), LeakyReLU(0.2), AveragePool(2)]
    return nn.Sequential(*layers, Conv2d(outputs, 1, 4), nn.Flatten(0))


def discriminator_penalty(regularizer: Regularizer, batch: int, dtype: torch.dtype, draw: int = 0) -> Penalty:
    """A regularizer of the discriminator on images of noise; `draw` chooses what it draws itself."""
    random = Randomness(0, "images", count=batch)
    real, fake = (random.normal(name, 3, 64, 64).tanh().to(dtype) for name in ("real", "fake"))

    def penalty(network: nn.Module) -> Tensor:
        views = Views(
            lazily={"real_gradient": lambda: slope(network, real)},
            real_images=real,
            fake_images=fake,
            labels=None,
            fake_labels=None,
            discriminate=lambda images, labels: as_scores(network(images)).logits,
            random=random.scoped(draw) if draw else random,
        )
        value: Tensor = regularizer.penalty(views)
        return value

    return penalty


def slope(network: nn.Module, images: Tensor) -> Tensor:
    """The gradient of logits by images, from a pass of its own."""
    images = images.detach().requires_grad_()
    logits = as_scores(network(images)).logits
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient


def path_length(batch: int, dtype: torch.dtype) -> Penalty:
    """Squared distance from 1 of the gradient of images times noise by their latents (Karras et al., 2020)."""
    random = Randomness(0, "latents", count=batch)
    latents = random.normal("latents", 100).to(dtype).requires_grad_()
    noise = random.normal("noise", 3, 64, 64).to(dtype) / 64

    def penalty(network: nn.Module) -> Tensor:
        (gradient,) = torch.autograd.grad((network(latents) * noise).sum(), latents, create_graph=True)
        value: Tensor = (torch.linalg.vector_norm(gradient, dim=1) - 1).square().mean()
        return value

    return penalty


def prepared(network: nn.Module) -> nn.Module:
    """The network in memory order (N, H, W, C), with weights that keep the size of activations and gradients."""
    for layer in network.modules():
        if isinstance(layer, _DRAWN):
            nn.init.kaiming_normal_(layer.weight, 0.2, "fan_out" if isinstance(layer, ConvTranspose2d) else "fan_in")
    return network.to(memory_format=torch.channels_last)


def replace(network: nn.Module, old: type[nn.Module], new: Callable[[], nn.Module]) -> None:
    """Put new layers in the place of those of a type."""
    for parent in network.modules():
        for name, layer in parent.named_children():
            if isinstance(layer, old):
                setattr(parent, name, new())


def with_torch_layers(network: nn.Module) -> nn.Module:
    """The same network and weights with torch's own layers."""
    network = copy.deepcopy(network)
    for parent in network.modules():
        for name, layer in parent.named_children():
            if isinstance(layer, AveragePool):
                setattr(parent, name, nn.AvgPool2d(layer.size))
            elif isinstance(layer, _DRAWN | LeakyReLU | ReLU):
                layer.__class__ = type(layer).__bases__[0]
    return network


def step(penalty: Penalty, network: nn.Module, precision: torch.dtype) -> None:
    """A penalty and its backward pass; bfloat16 means autocast."""
    network.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        value = penalty(network)
    value.backward()


def gradient(network: nn.Module) -> Tensor:
    """The gradient of all weights in one vector."""
    parts = (torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters())
    return torch.cat([part.flatten().double() for part in parts])


def error(found: Tensor, truth: Tensor) -> str:
    """Relative error and cosine."""
    cosine = torch.nn.functional.cosine_similarity(found, truth, dim=0)
    return f"{(found - truth).norm() / truth.norm():.1e}, {cosine:.5f}"


def penalised(
    make: Callable[[torch.dtype], Penalty],
    network: nn.Module,
    precision: torch.dtype,
    rounds: int,
    clock: Clock,
) -> list[object]:
    """Medians of times, the median of the rounds' ratios, and both errors."""
    exact = with_torch_layers(network).double()
    step(make(torch.float64), exact, torch.float64)
    penalty, sides = make(torch.float32), [with_torch_layers(network), network]
    errors = []
    for side in sides:
        step(penalty, side, precision)
        errors.append(error(gradient(side), gradient(exact)))
    theirs, ours = (partial(step, penalty, side, precision) for side in sides)
    return [*compare(theirs, ours, rounds, clock), *errors]


def estimated(network: nn.Module, finite_difference: float, batch: int, rounds: int, clock: Clock) -> list[object]:
    """R1 from finite differences in float32: times of the exact one and this, their ratio, errors of the gradient."""
    exact = with_torch_layers(network).double()
    step(discriminator_penalty(R1(), batch, torch.float64), exact, torch.float64)
    sides = [discriminator_penalty(each, batch, torch.float32) for each in (R1(), R1(finite_difference))]
    double, single = (partial(step, penalty, network, torch.float32) for penalty in sides)
    return [*compare(double, single, rounds, clock), error(gradient(network), gradient(exact))]


def approximated(network: nn.Module, deviation: float, batch: int, rounds: int, clock: Clock) -> list[object]:
    """R1 from random steps in float32: times of the exact one and this, their ratio, errors of one and many steps."""
    exact = with_torch_layers(network).double()
    step(discriminator_penalty(R1(), batch, torch.float64), exact, torch.float64)

    def steps(draw: int, network: nn.Module) -> Tensor:
        penalty = discriminator_penalty(R1Approximate(deviation), batch, torch.float32, draw)
        return penalty(network) / (2 * deviation**2)

    sides = (discriminator_penalty(R1(), batch, torch.float32), partial(steps, 1))
    times = compare(*(partial(step, penalty, network, torch.float32) for penalty in sides), rounds, clock)
    found = []
    for draw in range(1, _DRAWS + 1):
        step(partial(steps, draw), network, torch.float32)
        found.append(gradient(network))
    mean = torch.stack(found).mean(0)
    return [*times, error(found[0], gradient(exact)), error(mean, gradient(exact))]


def main() -> None:
    """Measure all penalties in both precisions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--estimates", action="store_true", help="the second and the third table only")
    offer_cpu_time(parser)
    arguments = parser.parse_args()
    clock = clock_of(arguments)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    discriminator = prepared(DCGANDiscriminator((3, 64, 64), width=arguments.width, normalizer=NoNormalizer()))
    generator = prepared(DCGANGenerator((3, 64, 64), width=arguments.width, normalizer=NoNormalizer()))
    measure = measure_of(arguments)
    if arguments.estimates:
        print_estimates(discriminator, arguments, clock, measure)
        return
    r1, gradient_penalty = (
        partial(discriminator_penalty, regularizer, arguments.batch) for regularizer in (R1(), GradientPenalty())
    )
    cases = {
        "R1": (r1, discriminator),
        "gradient penalty": (gradient_penalty, discriminator),
        "path length": (partial(path_length, arguments.batch), generator),
        "R1, stride 1": (r1, prepared(pooled_discriminator(arguments.width // 2))),
    }
    rows = [
        [name, str(precision).removeprefix("torch."), *penalised(make, network, precision, arguments.rounds, clock)]
        for name, (make, network) in cases.items()
        for precision in (torch.float32, torch.bfloat16)
    ]
    columns = ["penalty", "precision", "torch ms", "ganlab ms", "ratio", "torch error, cosine", "ganlab error, cosine"]
    title = f"A penalty and its backward pass, batch {arguments.batch}, channels last, {measure}"
    print_table(title, columns, rows, arguments.threads)
    print_estimates(discriminator, arguments, clock, measure)


def print_estimates(discriminator: nn.Module, arguments: argparse.Namespace, clock: Clock, measure: str) -> None:
    """R1 without double backward passes against the exact one, for a network with kinks and a smooth one."""
    smooth = copy.deepcopy(discriminator)
    replace(smooth, LeakyReLU, nn.Softplus)
    networks = {"leaky ReLU": discriminator, "softplus": smooth}
    setting = f"against the exact one, float32, batch {arguments.batch}, {measure}"
    common = (arguments.batch, arguments.rounds, clock)
    rows = [
        [name, size, *estimated(network, size, *common)]
        for name, network in networks.items()
        for size in (0.1, 0.03, 0.01)
    ]
    columns = ["discriminator", "finite_difference", "exact ms", "differences ms", "ratio", "error, cosine"]
    print_table(f"R1 from finite differences {setting}", columns, rows, arguments.threads)
    rows = [
        [name, f"{deviation:g}", *approximated(network, deviation, *common)]
        for name, network in networks.items()
        for deviation in (0.1, 0.01, 0.001)
    ]
    columns = ["discriminator", "deviation", "exact ms", "steps ms", "ratio", "error of one, cosine"]
    columns.append(f"of {_DRAWS}, cosine")
    print_table(f"R1 from random steps {setting}", columns, rows, arguments.threads)


if __name__ == "__main__":
    main()
