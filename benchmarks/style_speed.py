"""StyleGAN2's training, phase by phase, against a plain program of the same step, in turns and in one process.

    python benchmarks/style_speed.py [--side 64] [--channel-base 16384] [--batch 8] [--rounds 3] [--cpu-time]
    python benchmarks/style_speed.py --accuracy
    python benchmarks/style_speed.py --compiled --device cuda --side 256 --channel-base 32768

Phases are the main updates of both players, R1 and the path length; a cycle is 16 of each main update, one R1 and
four path lengths. Ratios are medians of those of the rounds: the plain program's float32 time over ganlab's, for
float32, for bf16 with penalties in float32 (what `trainer.precision: bf16-mixed` does) and for bf16 throughout
(`trainer.penalty_precision: same`). ganlab's penalties share the pass of the main update where they may, so that theirs
is the time that they add. With `--threads 1` and `--cpu-time` the figures are of one core. The plain program runs on
the CPU; on another device only ganlab's times are printed.

`--accuracy` compares gradients at the same weights: of both programs with each other, and with the plain one's in
float64. It says how many inputs of rectifiers have other signs in float32, and what is left with float64's signs.
`--compiled` times forward passes of both networks with and without `torch.compile`, and says how much of a step
convolutions take.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import plain_style
import torch
from ganlab_style.architecture import StyleGAN
from ganlab_style.levels import levels_of
from plain_style import PlainPhases, at_least_float32
from report import print_table
from torch import Tensor, nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from turns import Clock, Work, clock_of, in_turns, measure_of, median_ratio, offer_cpu_time

from ganlab.builder import Builder
from ganlab.contracts import DataFacts, PlayerOptimizer
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.spec import node_from
from ganlab.training.optimizers import adam
from ganlab.training.settings import TrainingSettings

PRECISIONS = {"float32": ("float32", False), "bf16, penalties float32": ("float32", True), "bf16": ("same", True)}
CYCLE = {"discriminator": 16, "generator": 16, "r1": 1, "path length": 4}


def trained(arguments: argparse.Namespace, penalties: Any) -> StyleGAN:
    """Configuration F's game at a size, ready to train."""
    widths = {"channel_base": arguments.channel_base, "channel_max": arguments.channel_max}
    node = {
        "name": "style",
        "generator": {"name": "stylegan2", "latent_size": arguments.style, "style_size": arguments.style, **widths},
        "discriminator": {"name": "stylegan2", **widths},
        "loss": "non_saturating",
        "regularizers": [{"name": "r1", "weight": 1.0, "every": 16}, {"name": "path_length", "weight": 2, "every": 4}],
        "style_mixing": 0.0,
    }
    facts = DataFacts((3, arguments.side, arguments.side), 1000, "noise")
    module: StyleGAN = Builder(facts).construct(node_from("architectures", node), "architecture")
    optimizers = dict.fromkeys(module.player_names, PlayerOptimizer(partial(adam, lr=2e-3, betas=(0.0, 0.99))))
    module.prepare(
        TrainingSettings(
            facts=facts, optimizers=optimizers, batch_size=arguments.batch, penalty_precision=penalties, ramp_up=None
        )
    )
    module.to(arguments.device)
    module.configure_optimizers()
    return module


def phases_of(module: StyleGAN, reals: Tensor, bf16: bool) -> dict[str, Work]:
    """Each player's update without its lazy penalty, and with it."""
    device = reals.device.type
    plan = StepPlan(0, 0, len(reals), 1, 0, len(reals))

    def update(player: str, updates: int) -> None:
        module.clock.updates[player] = updates
        (batch,) = StepBatch(plan, reals).batches(module.facts, 0)
        with torch.autocast(device, torch.bfloat16) if bf16 else nullcontext():
            module.update(player, module.terms_of(player), batch)
        if player == "generator":
            module.averages.update(module.sources(), len(reals), 10**6, 10**6)
        if device == "cuda":
            torch.cuda.synchronize()

    return {
        f"{player}{'' if updates else ' with its penalty'}": partial(update, player, updates)
        for player in ("discriminator", "generator")
        for updates in (1, 0)
    }


def added(times: Mapping[str, list[float]], prefix: str = "") -> dict[str, list[float]]:
    """Times of the four phases, of updates with and without penalties."""
    found = {player: times[f"{prefix}{player}"] for player in ("discriminator", "generator")}
    for phase, player in (("r1", "discriminator"), ("path length", "generator")):
        both = times[f"{prefix}{player} with its penalty"]
        found[phase] = [more - main for more, main in zip(both, found[player], strict=True)]
    return found


def cycle(times: Mapping[str, list[float]]) -> list[float]:
    """Seconds an image over a cycle of 16 rounds, but for the batch size."""
    return [sum(CYCLE[phase] * times[phase][turn] for phase in CYCLE) / 16 for turn in range(len(times["r1"]))]


def plain_program(arguments: argparse.Namespace, reals: Tensor) -> PlainPhases:
    """The plain program with as many channels."""
    levels = levels_of((3, arguments.side, arguments.side), arguments.channel_base, arguments.channel_max)
    return PlainPhases({level.height: level.channels for level in levels}, arguments.style, 8, reals)


def measure(arguments: argparse.Namespace, clock: Clock) -> None:
    """Time all phases of all programs."""
    pixels = torch.randint(256, (arguments.batch, 3, arguments.side, arguments.side), dtype=torch.uint8)
    on_device = pixels.to(arguments.device)
    works: dict[str, Work] = {}
    if arguments.device == "cpu":
        works |= plain_program(arguments, pixels / 127.5 - 1).phases
    for name in arguments.precisions:
        penalties, bf16 = PRECISIONS[name]
        phases = phases_of(trained(arguments, penalties), on_device, bf16)
        works |= {f"{name}: {phase}": work for phase, work in phases.items()}
    times = in_turns(works, arguments.rounds, clock)
    plain = {phase: times[phase] for phase in CYCLE} if arguments.device == "cpu" else None
    rows: list[list[object]] = [] if plain is None else list(rows_of("plain", plain, plain, arguments.batch))
    for name in arguments.precisions:
        rows += rows_of(name, added(times, f"{name}: "), plain, arguments.batch)
    print_table(f"StyleGAN2: {title(arguments)}", ["program", "phase", "ms", "ratio"], rows, arguments.threads)


def rows_of(
    name: str, times: dict[str, list[float]], plain: dict[str, list[float]] | None, batch: int
) -> list[list[object]]:
    """A row for each phase, and one for an image of a whole cycle."""

    def ratio(ours: list[float], theirs: list[float] | None) -> object:
        if theirs is None:
            return ""
        return median_ratio(theirs, ours)

    rows: list[list[object]] = [
        [name, phase, statistics.median(taken) * 1000, ratio(taken, None if plain is None else plain[phase])]
        for phase, taken in times.items()
    ]
    ours = cycle(times)
    whole: list[object] = [
        name,
        "an image",
        statistics.median(ours) * 1000 / batch,
        ratio(ours, plain and cycle(plain)),
    ]
    return [*rows, whole]


def same_weights(module: StyleGAN, plain: PlainPhases) -> dict[str, list[tuple[nn.Parameter, nn.Parameter]]]:
    """Each player's parameters in both programs, in pairs, after ganlab's took the plain program's values."""
    ours: Any = module.discriminator
    theirs: Any = plain.discriminator
    sides = [*ours.blocks]
    layers: list[tuple[Any, Any]] = [(ours.from_image[sides[0]], theirs.first), (ours.head.convolution, theirs.last)]
    for side, (keep, down, shortcut) in zip(sides, theirs.blocks, strict=True):
        layers += [*zip(ours.blocks[side], (keep, down), strict=True), (ours.shortcuts[side], shortcut)]
    layers += [((ours.head.dense, ours.head.activation), theirs.dense), (ours.head.last, theirs.logit)]
    pairs = {"discriminator": [pair for layer in layers for pair in _paired(*layer)]}
    made: Any = module.generator
    wanted: Any = plain.generator
    mapping = list(made.mapping.layers)
    layers = [*zip(zip(mapping[::2], mapping[1::2], strict=True), wanted.mapping, strict=True)]
    convolutions = [layer for block in made.blocks.values() for layer in block]
    layers += zip(convolutions, [wanted.first, *(layer for block in wanted.blocks for layer in block)], strict=True)
    layers += zip(made.to_image.values(), wanted.images, strict=True)
    pairs["generator"] = [(made.constant, wanted.constant), *(pair for layer in layers for pair in _paired(*layer))]
    with torch.no_grad():
        for own, other in (pair for player in pairs.values() for pair in player):
            own.copy_(other)
    return pairs


def _paired(own: Any, other: nn.Module) -> list[tuple[nn.Parameter, nn.Parameter]]:
    """The parameters of two layers of the same kind, in the order of weight, bias, noise and style."""

    def order(name: str) -> tuple[bool, bool, bool]:
        return "affine" in name, "strength" in name, "bias" in name

    parts = own if isinstance(own, tuple) else (own,)
    named = [item for part in parts for item in part.named_parameters()]
    mine = [value for name, value in sorted(named, key=lambda item: order(item[0]))]
    theirs = [value for name, value in sorted(other.named_parameters(), key=lambda item: order(item[0]))]
    assert [value.shape for value in mine] == [value.shape for value in theirs]
    return list(zip(mine, theirs, strict=True))


def losses(generator: Any, discriminator: Any, latents: Tensor, reals: Tensor, styled: bool) -> dict[str, Any]:
    """The four phases' terms of networks, each made when it is called."""

    def make() -> tuple[Tensor, Tensor]:
        images, styles = generator(latents, with_styles=True) if styled else generator(latents)
        return at_least_float32(images), styles

    def judge(images: Tensor) -> Tensor:
        scores = discriminator(images)
        logits: Tensor = scores.logits if styled else scores
        return at_least_float32(logits)

    def r1() -> Tensor:
        images = reals.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(judge(images).sum(), images, create_graph=True)
        return gradient.square().sum((1, 2, 3)).mean()

    def path_length() -> Tensor:
        images, styles = make()
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(1)).to(images) / images.shape[-1]
        (gradient,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
        return gradient.square().sum(2).mean(1).sqrt().square().mean()

    return {
        "discriminator": lambda: (
            functional.softplus(judge(make()[0].detach())).mean().add(functional.softplus(-judge(reals)).mean())
        ),
        "generator": lambda: functional.softplus(-judge(make()[0])).mean(),
        "r1": r1,
        "path length": path_length,
    }


def measure_accuracy(arguments: argparse.Namespace) -> None:
    """Relative errors of the gradients of a player's weights: of both programs against each other and float64.

    The strengths of noise are left out: each program draws noise of its own.
    """
    reals = torch.randn(arguments.batch, 3, arguments.side, arguments.side).clamp(-1, 1)
    module, plain = trained(arguments, "float32"), plain_program(arguments, reals)
    pairs = same_weights(module, plain)
    latents = torch.randn(arguments.batch, arguments.style)
    exact = {name: copy.deepcopy(network).double() for name, network in plain.networks.items()}
    truths = losses(exact["generator"], exact["discriminator"], latents.double(), reals.double(), styled=False)
    wanted = losses(plain.generator, plain.discriminator, latents, reals, styled=False)
    found = losses(module.generator, module.discriminator, latents, reals, styled=True)
    rows: list[list[object]] = []
    for phase in CYCLE:
        player = "generator" if phase in ("generator", "path length") else "discriminator"
        own, other = ([pair[place] for pair in pairs[player] if pair[0].dim()] for place in (0, 1))
        places = {id(value): place for place, value in enumerate(plain.networks[player].parameters())}
        doubles = list(exact[player].parameters())
        with signs_of_rectifiers() as signs:
            truth = gradients(truths[phase](), [doubles[places[id(value)]] for value in other])
        ours, theirs = gradients(found[phase](), own), gradients(wanted[phase](), other)
        with signs_of_rectifiers(signs) as differing:
            same = gradients(wanted[phase](), other)
        with torch.autocast("cpu", torch.bfloat16):
            value = found[phase]()
        low = gradients(value, own)
        errors = [(ours, theirs), (ours, truth), (theirs, truth), (same, truth), (low, theirs)]
        rows.append([phase, *(f"{relative_error(*pair):.1e}" for pair in errors), sum(map(int, differing))])
    columns = [
        *("phase", "ganlab to plain", "ganlab to float64", "plain to float64", "with its signs", "bf16 to plain"),
        "signs that differ",
    ]
    print_table(f"Errors of gradients: {title(arguments)}", columns, rows, arguments.threads)


def gradients(value: Tensor, parameters: Sequence[Tensor]) -> list[Tensor | None]:
    """Of a value, in float64."""
    found = torch.autograd.grad(value, parameters, allow_unused=True)
    return [None if gradient is None else gradient.double() for gradient in found]


@contextmanager
def signs_of_rectifiers(given: Sequence[Tensor] | None = None) -> Iterator[list[Tensor]]:
    """The plain program's rectifiers note the signs of what they get, or take given ones and count what differs.

    A penalty's gradient jumps where a sign changes, by far more than what rounding does to it elsewhere.
    """
    noted: list[Tensor] = []
    rest, own = iter(given or ()), plain_style.rectified

    def rectified(features: Tensor) -> Tensor:
        positive = features.detach() > 0
        if given is None:
            noted.append(positive)
            return own(features)
        wanted = next(rest)
        noted.append((positive != wanted).sum())
        return torch.where(wanted, features, 0.2 * features)

    plain_style.rectified = rectified
    try:
        yield noted
    finally:
        plain_style.rectified = own


def relative_error(found: Sequence[Tensor | None], truth: Sequence[Tensor | None]) -> float:
    """Norm of the difference over the norm, of all gradients together."""
    both = [(own, other) for own, other in zip(found, truth, strict=True) if own is not None and other is not None]
    difference = torch.stack([(own - other).norm() for own, other in both]).norm()
    return float(difference / torch.stack([other.norm() for _, other in both]).norm())


def measure_compiled(arguments: argparse.Namespace, clock: Clock) -> None:
    """Forward passes in bf16, eager and compiled, and the share of convolutions in an update of the discriminator."""
    module, device = trained(arguments, "same"), arguments.device
    latents = torch.randn(arguments.batch, arguments.style, device=device)
    images = torch.randn(arguments.batch, 3, arguments.side, arguments.side, device=device)
    works: dict[str, Work] = {}
    for name, network, value in (
        ("generator", module.generator, latents),
        ("discriminator", module.discriminator, images),
    ):
        for form, called in (("eager", network), ("compiled", torch.compile(network))):
            works[f"{name}, {form}"] = partial(forward_pass, called, value)
    times = in_turns(works, arguments.rounds, clock)
    rows = []
    for name in ("generator", "discriminator"):
        eager, compiled = times[f"{name}, eager"], times[f"{name}, compiled"]
        medians = [statistics.median(taken) * 1000 for taken in (eager, compiled)]
        rows.append([name, *medians, median_ratio(eager, compiled)])
    columns = ["network", "eager ms", "compiled ms", "ratio"]
    print_table(f"Forward passes in bf16: {title(arguments)}", columns, rows, arguments.threads)
    work = phases_of(module, (images * 127 + 128).clamp(0, 255).to(torch.uint8), True)["discriminator"]
    print(f"convolutions take {share_of_convolutions(work, device):.0%} of the discriminator's update")


def forward_pass(network: Any, value: Tensor) -> None:
    """One pass without a graph, in bf16."""
    with torch.no_grad(), torch.autocast(value.device.type, torch.bfloat16):
        network(value)
    if value.device.type == "cuda":
        torch.cuda.synchronize()


def share_of_convolutions(work: Work, device: str) -> float:
    """Of the device's time that a work takes, after one call that does not count."""
    work()
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    with profile(activities=kinds) as observed:
        work()
    own = "self_device_time_total" if device == "cuda" else "self_cpu_time_total"
    times = {event.key: getattr(event, own) for event in observed.key_averages()}
    return float(sum(taken for name, taken in times.items() if "conv" in name) / sum(times.values()))


def title(arguments: argparse.Namespace) -> str:
    """What was measured."""
    return (
        f"{arguments.side} pixels, batch {arguments.batch}, channel base {arguments.channel_base}, "
        f"at most {arguments.channel_max}, {measure_of(arguments)}, {arguments.device}"
    )


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accuracy", action="store_true", help="errors of gradients instead of times")
    parser.add_argument("--compiled", action="store_true", help="forward passes with and without torch.compile")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--channel-base", type=int, default=16384)
    parser.add_argument("--channel-max", type=int, default=512)
    parser.add_argument("--style", type=int, default=512, help="numbers in a latent and in a style")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precisions", nargs="+", default=list(PRECISIONS), choices=list(PRECISIONS))
    offer_cpu_time(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    clock = clock_of(arguments)
    if arguments.accuracy:
        measure_accuracy(arguments)
    elif arguments.compiled:
        measure_compiled(arguments, clock)
    else:
        measure(arguments, clock)


if __name__ == "__main__":
    main()
