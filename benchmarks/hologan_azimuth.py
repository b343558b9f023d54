"""What a trained HoloGAN has found out about azimuths that nobody has told it of.

Usage: `python benchmarks/hologan_azimuth.py RUN... [--samples 300] [--reals 3000] [--passes 12] [--seed 0]`. RUN is the
folder of a run on `rendered_shapes`; several are those of one spec with other seeds. A small network learns to tell the
sine and cosine of the azimuth from reals, of which the data set knows the poses, and is tried on reals that it has not
seen. It then looks at samples whose azimuths were asked for. Nobody has told the game where the front is nor which way
around is positive: numbers are after the best offset, and the sign says whether both turn alike. Prints, for reals and
for samples:

- the circular correlation of Fisher and Lee (1983), which knows no offset: 1 or -1 is perfect, 0 is no relation;
- the mean error in degrees after the best offset and sign, beside that of one answer to everything.

Below samples are the mean answers to each of seven azimuths, and below several runs the mean of their numbers and its
standard deviation over them.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

import torch
from ganlab_datasets.rendered_shapes import RenderedShapes
from ganlab_hologan.poses import PosedLatents
from torch import Tensor, nn

import ganlab
from ganlab.build import open_dataset
from ganlab.data.scaling import scale
from ganlab.spec import read_spec

_SHOWN = 7


def circular_correlation(first: Tensor, second: Tensor) -> float:
    """Fisher and Lee's correlation of two series of angles (N,) in radians: of sines of all pairs."""
    of_first, of_second = ((angles[:, None] - angles).sin() for angles in (first, second))
    return float((of_first * of_second).sum() / (of_first.square().sum() * of_second.square().sum()).sqrt())


def error_after_offset(asked: Tensor, answered: Tensor, sign: float) -> float:
    """The mean absolute difference in degrees of angles (N,) in radians, from where they agree on average."""
    turns = torch.polar(torch.ones_like(asked), answered - sign * asked)
    return float((turns / turns.mean()).angle().abs().mean().rad2deg())


def answers(network: nn.Module, images: Tensor) -> Tensor:
    """Azimuths (N,) in radians that the network sees in images in [-1, 1]."""
    with torch.no_grad():
        sine, cosine = network(images).unbind(1)
    return torch.atan2(sine, cosine)


def trained_regressor(images: Tensor, azimuths: Tensor, passes: int, seed: int) -> nn.Module:
    """A network (N, 2) of the sine and cosine of the azimuth, trained on reals."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs, outputs in ((images.shape[1], 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.ReLU()]
    side = images.shape[2] // 8
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * side * side, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    wanted = torch.stack([azimuths.sin(), azimuths.cos()], 1)
    for _ in range(passes):
        for rows in torch.randperm(len(images)).split(32):
            optimizer.zero_grad()
            (network(images[rows]) - wanted[rows]).square().mean().backward()
            optimizer.step()
    return network.eval()


def samples(generator: ganlab.TrainedGenerator, asked: Tensor) -> Tensor:
    """A sample, of other latents each, at each of the azimuths (N,) in degrees; elevations and scales as drawn."""
    latents = generator.draw(len(asked))
    assert isinstance(latents, PosedLatents), "the run is not one of hologan"
    poses = torch.cat([asked[:, None], latents.poses[:, 1:]], dim=1)
    return generator.render(replace(latents, poses=poses)).clamp(-1, 1)


def report(name: str, asked: Tensor, answered: Tensor) -> tuple[float, float]:
    """Print a line of numbers; the correlation and the error."""
    correlation = circular_correlation(asked, answered)
    sign = 1.0 if correlation >= 0 else -1.0
    error = error_after_offset(asked, answered, sign)
    constant = error_after_offset(asked, torch.zeros_like(asked), sign)
    print(f"{name}: correlation {correlation:+.3f}, error {error:.1f} degrees (one answer to all: {constant:.1f})")
    return correlation, error


def opened(run: Path) -> RenderedShapes:
    """The data of a run."""
    dataset = open_dataset(read_spec(run / "spec.yaml", []).data)
    assert isinstance(dataset, RenderedShapes), f"{run} is not one on rendered_shapes, whose poses are known"
    return dataset


def regressor_of(dataset: RenderedShapes, options: argparse.Namespace) -> nn.Module:
    """A network that has learned from most of the reals and is tried on the rest."""
    count = min(len(dataset), options.reals + options.samples)
    images = scale(dataset.take(range(count))["images"], dataset.facts.value_range)
    azimuths = dataset.poses[:count, 0].deg2rad().float()
    learned = count - options.samples
    network = trained_regressor(images[:learned], azimuths[:learned], options.passes, options.seed)
    report("reals not seen before", azimuths[learned:], answers(network, images[learned:]))
    return network


def measure(run: Path, network: nn.Module, count: int) -> tuple[float, float]:
    """The correlation and the error of the samples of a run, with the answers to some azimuths."""
    generator = ganlab.load(run)
    low, high = generator.module.poses.ranges["azimuth"]
    asked = low + (high - low) * (torch.arange(count) + 0.5) / count
    answered = answers(network, samples(generator, asked))
    numbers = report(f"samples of {run}", asked.deg2rad(), answered)
    for part, of_part in zip(asked.chunk(_SHOWN), answered.chunk(_SHOWN), strict=True):
        turns = torch.polar(torch.ones_like(of_part), of_part).mean()
        print(f"  asked {part.mean():+7.1f}: {turns.angle().rad2deg():+7.1f}, agreement {turns.abs():.2f}")
    return numbers


def main() -> None:
    """Train the regressor, ask each run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    for name, default in (("samples", 300), ("reals", 3000), ("passes", 12), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    datasets = [opened(run) for run in options.runs]
    if len({dataset.facts.fingerprint for dataset in datasets}) > 1:
        parser.error("the runs have learned from other data each: measure those of one spec together")
    network = regressor_of(datasets[0], options)
    found = [measure(run, network, options.samples) for run in options.runs]
    if len(found) > 1:
        for name, values in zip(("size of the correlation", "error in degrees"), zip(*found, strict=True), strict=True):
            sizes = [abs(value) for value in values]
            print(f"{name} over {len(sizes)} runs: {statistics.mean(sizes):.3f} +- {statistics.stdev(sizes):.3f}")


if __name__ == "__main__":
    main()
